"""Models of a stated shape with random weights, which cost what trained ones cost, and what they read."""

from dataclasses import dataclass, replace

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from attribution.curvature.factors import Eigenbasis, Factors
from attribution.loading.attention import fuse_attention
from attribution.loading.load import LoadedModel
from attribution.machine import schedule_of
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row

CONTEXT = 4096


@dataclass(frozen=True)
class Shape:
    """Of a decoder with tied embedding."""

    kind: str  # as transformers names it
    vocabulary: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    mlp: int

    def config(self) -> dict[str, object]:
        return {
            "vocab_size": self.vocabulary,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "intermediate_size": self.mlp,
            "max_position_embeddings": CONTEXT,
            "tie_word_embeddings": True,
            "bos_token_id": 0,
            "eos_token_id": 0,
        }


SMOLLM2 = Shape("llama", 49_152, 576, 30, 9, 3, 1536)
QWEN2 = Shape("qwen2", 151_936, 896, 24, 14, 2, 4864)
TINY = Shape("llama", 97, 16, 2, 2, 1, 24)


def random_model(
    shape: Shape, device: str = "cpu", dtype: torch.dtype = torch.float32, memory: float = 0.0
) -> LoadedModel:
    """Without a tokenizer.    memory: GB, as of `[device] memory`"""
    torch.manual_seed(0)
    where = torch.device(device)
    config = AutoConfig.for_model(shape.kind, **shape.config())
    with where:
        model = AutoModelForCausalLM.from_config(config, attn_implementation="eager", dtype=dtype).eval()
    fuse_attention(model)
    loaded = LoadedModel(model, None, str(shape), "none", where)  # type: ignore[arg-type]
    return replace(loaded, schedule=schedule_of(where, memory))


def unit_factors(tracked: Tracked) -> Factors:
    """Curvature of the right shapes that costs what any costs, one matrix for all layers of a shape."""
    made: dict[tuple[int, ...], torch.Tensor] = {}

    def eye(n: int) -> torch.Tensor:
        return made.setdefault((n,), torch.eye(n, dtype=tracked.dtype, device=tracked.device))

    def ones(*shape: int) -> torch.Tensor:
        return made.setdefault(shape, torch.ones(shape, dtype=tracked.dtype, device=tracked.device))

    linear = tuple(Eigenbasis(eye(of.n_in), eye(of.n_out), ones(of.n_out, of.n_in)) for of in tracked.linear)
    fishers = tuple(ones(of.n_out, of.n_in) for of in tracked.embedding)
    return Factors(tuple(of.name for of in tracked.layers), linear, fishers, "units")


def random_rows(shape: Shape, n: int, length: int, seed: int = 1) -> list[Row]:
    """n documents of `length` tokens."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.randint(shape.vocabulary, (n, length), generator=generator)
    return [Row(tuple(each)) for each in ids.tolist()]
