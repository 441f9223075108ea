"""Models small enough for dense float64 truth, and that truth: gradients of everything, written out."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.func import functional_call
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from attribution.curvature.blocks import Preconditioner, damp
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.loading.attention import fuse_attention
from attribution.loading.load import LoadedModel
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row

V, H, CONTEXT = 11, 8, 16
SIZE = {"vocab_size": V, "hidden_size": H, "num_hidden_layers": 2, "num_attention_heads": 2, "bos_token_id": 0}
SIZE |= {"max_position_embeddings": CONTEXT, "eos_token_id": 0, "pad_token_id": None}
GATED = SIZE | {"intermediate_size": 12, "num_key_value_heads": 1, "head_dim": 4}

made = AutoConfig.for_model
CONFIGS: dict[str, PretrainedConfig] = {  # every architecture that is supported: tests run over them
    "llama": made("llama", **GATED, tie_word_embeddings=True),
    "llama-untied": made("llama", **GATED, tie_word_embeddings=False, attention_bias=True),
    "qwen2": made("qwen2", **GATED, tie_word_embeddings=True),
    "qwen3": made("qwen3", **GATED, tie_word_embeddings=True),
    "gemma": made("gemma", **GATED),
    "gemma2": made("gemma2", **GATED, final_logit_softcapping=0.5),
    "gemma3": made("gemma3_text", **GATED),
    "gpt-neox": made("gpt_neox", **SIZE, intermediate_size=12, tie_word_embeddings=False),
    "gpt2": made(
        "gpt2", vocab_size=V, n_embd=H, n_layer=2, n_head=2, n_positions=CONTEXT, bos_token_id=0, eos_token_id=0
    ),
}


def tiny_model(kind: str = "llama", seed: int = 0, dtype: torch.dtype = torch.float64) -> LoadedModel:
    """A random model; its tokenizer is not needed, and its hash tells models apart."""
    torch.manual_seed(seed)
    model = AutoModelForCausalLM.from_config(CONFIGS[kind], attn_implementation="eager").to(dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # larger than at initialisation: a model with opinions
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    fuse_attention(model)
    return LoadedModel(model, None, f"{kind}-{seed}", "tokens", torch.device("cpu"))


def scheduled(tracked: Tracked, **sizes: int) -> Tracked:
    """The same model, its work cut otherwise."""
    return replace(tracked, loaded=replace(tracked.loaded, schedule=replace(tracked.schedule, **sizes)))


def tiny_documents(n: int = 5, seed: int = 1, plain: bool = False) -> list[Row]:
    """Random ids of lengths 2 to 9; some have a question that is not learned and, if not `plain`, a mask or windows."""
    generator = torch.Generator().manual_seed(seed)
    documents = []
    for i in range(n):
        length = 2 + int(torch.randint(8, (1,), generator=generator))
        ids = torch.randint(V, (length,), generator=generator).tolist()
        documents.append(Row(tuple(ids), first_target=2 if i % 3 == 2 and length > 3 else 1))
    if n > 3 and not plain:
        documents[3] = Row((1, 4, 2, 6, 3, 3), learned=((2, 3), (4, 6)))
        documents[1] = Row((5, 2, 7, 0, 2, 9, 2, 8), first_target=2, learned=((1, 5), (6, 8)), windows=(3, 4, 1))
    return documents


def random_factors(tracked: Tracked, seed: int = 2) -> Factors:
    """Curvature with the right shapes, on the model's device: random rotations, eigenvalues between 0.1 and 1.1."""
    generator = torch.Generator().manual_seed(seed)

    def rotation(n: int) -> Tensor:
        return torch.linalg.qr(torch.randn(n, n, generator=generator, dtype=tracked.dtype)).Q.to(tracked.device)

    def positive(*shape: int) -> Tensor:
        return (torch.rand(*shape, generator=generator, dtype=tracked.dtype) + 0.1).to(tracked.device)

    linear = tuple(
        Eigenbasis(rotation(of.n_in), rotation(of.n_out), positive(of.n_out, of.n_in)) for of in tracked.linear
    )
    embedding = tuple(positive(of.n_out, of.n_in) for of in tracked.embedding)
    return Factors(tuple(layer.name for layer in tracked.layers), linear, embedding, f"random-{seed}")


def tiny_engine(
    kind: str = "llama", seed: int = 0, dtype: torch.dtype = torch.float64
) -> tuple[Tracked, Preconditioner]:
    tracked = track(tiny_model(kind, seed, dtype))
    return tracked, damp(random_factors(tracked))


def names(tracked: Tracked) -> list[str]:
    """Parameters in the order of the dense vector: weight and then bias of each layer."""
    found = []
    for layer in tracked.layers:
        found += [f"{layer.name}.weight"] + [f"{layer.name}.bias"] * layer.bias
    return found


def parameters(tracked: Tracked) -> dict[str, Tensor]:
    of = dict(tracked.loaded.model.named_parameters())
    return {name: of[name].detach().clone() for name in names(tracked)}


def logits(tracked: Tracked, moving: dict[str, Tensor], ids: Tensor) -> Tensor:
    """The model as a function of its tracked parameters  # [T, V]"""
    return functional_call(tracked.loaded.model, moving, kwargs={"input_ids": ids[None], "use_cache": False}).logits[0]


def token_logp(tracked: Tracked, moving: dict[str, Tensor], document: Row, labels: Tensor | None = None) -> Tensor:
    """log p of every learned token, each window read alone  # [n]"""
    found, start = [], 0
    for width in document.windows or (len(document.ids),):
        ids = torch.tensor(document.ids[start : start + width])
        logp = logits(tracked, moving, ids).log_softmax(-1)
        for t in range(1, width):
            i = start + t
            if i >= document.first_target and (
                document.learned is None or any(a <= i < b for a, b in document.learned)
            ):
                found.append(logp[t - 1, ids[t] if labels is None else labels[len(found)]])
        start += width
    return torch.stack(found)


def loss(tracked: Tracked, moving: dict[str, Tensor], document: Row) -> Tensor:
    return -token_logp(tracked, moving, document).sum()


def loss_value(tracked: Tracked, document: Row) -> float:
    with torch.no_grad():
        return float(loss(tracked, parameters(tracked), document))


def gradient(tracked: Tracked, function) -> tuple[Tensor, ...]:
    """∇ of function(parameters), one matrix [n_out, n_in] for each layer of `tracked.layers`."""
    moving = {name: value.requires_grad_() for name, value in parameters(tracked).items()}
    found = dict(zip(moving, torch.autograd.grad(function(moving), list(moving.values())), strict=True))
    modules = dict(tracked.loaded.model.named_modules())
    blocks = []
    for layer in tracked.layers:
        weight = found[f"{layer.name}.weight"]
        weight = weight.T if type(modules[layer.name]).__name__ == "Conv1D" else weight
        blocks.append(torch.cat([weight, found[f"{layer.name}.bias"][:, None]], dim=1) if layer.bias else weight)
    return tuple(blocks)


def dense_curvature(factors: Factors) -> list[Tensor]:
    """G of each block, written out: (Q_S ⊗ Q_A) diag(Λ) (Q_S ⊗ Q_A)ᵀ, or diag(F)."""
    blocks = []
    for basis in factors.linear:
        Q = torch.kron(basis.Q_S, basis.Q_A)
        blocks.append(Q @ torch.diag(basis.lam.flatten()) @ Q.T)
    return blocks + [torch.diag(fisher.flatten()) for fisher in factors.embedding]


def dense_solve(factors: Factors, blocks: tuple[Tensor, ...], damping: float = 0.1) -> tuple[Tensor, ...]:
    """(G + λI)⁻¹ g by dense linear algebra, λ = damping · mean eigenvalue of each block."""
    solved = []
    for G, g in zip(dense_curvature(factors), blocks, strict=True):
        damped = G + damping * (G.trace() / len(G)) * torch.eye(len(G), dtype=G.dtype)
        solved.append(torch.linalg.solve(damped, g.flatten()).view_as(g))
    return tuple(solved)


def inner(left: tuple[Tensor, ...], right: tuple[Tensor, ...]) -> Tensor:
    """⟨left, right⟩ by layer  # [L]"""
    return torch.stack([(a * b).sum() for a, b in zip(left, right, strict=True)])
