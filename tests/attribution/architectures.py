"""One tiny random model of every architecture that the documentation speaks of, with its quirks switched on."""

from collections.abc import Callable

import torch
import transformers as hf
from transformers import AutoModelForCausalLM, PretrainedConfig

from attribution.loading.attention import fuse_attention
from attribution.loading.experts import take_apart
from attribution.loading.load import LoadedModel

V, H, CONTEXT = 300, 16, 64
TOKENS = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": None}
SIZE = TOKENS | {"vocab_size": V, "hidden_size": H, "num_hidden_layers": 2, "num_attention_heads": 2}
SIZE |= {"max_position_embeddings": CONTEXT}
WIDE = SIZE | {"intermediate_size": 24}
GATED = WIDE | {"num_key_value_heads": 1, "head_dim": 8}
TIED, UNTIED = {"tie_word_embeddings": True}, {"tie_word_embeddings": False}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 8, "decoder_sparse_step": 1}
VISION = {"hidden_size": 8, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
VISION |= {"image_size": 16, "patch_size": 8}


def _gemma3() -> PretrainedConfig:
    text = hf.Gemma3TextConfig(**GATED).to_dict()
    return hf.Gemma3Config(text_config=text, vision_config=VISION, mm_tokens_per_image=4, image_token_index=V - 1)


CONFIGS: dict[str, Callable[[], PretrainedConfig]] = {
    "Llama": lambda: hf.LlamaConfig(**GATED, **TIED),
    "Mistral": lambda: hf.MistralConfig(**GATED, **UNTIED, sliding_window=8),
    "Qwen 2 and 2.5": lambda: hf.Qwen2Config(**GATED, **TIED),
    "Qwen 3": lambda: hf.Qwen3Config(**GATED, **TIED),
    "Qwen 2 MoE": lambda: hf.Qwen2MoeConfig(**GATED, **EXPERTS, **UNTIED, shared_expert_intermediate_size=8),
    "Qwen 3 MoE": lambda: hf.Qwen3MoeConfig(**GATED, **EXPERTS, **UNTIED),
    "Mixtral": lambda: hf.MixtralConfig(**GATED, **UNTIED, num_local_experts=4, num_experts_per_tok=2),
    "Gemma": lambda: hf.GemmaConfig(**GATED),
    "Gemma 2": lambda: hf.Gemma2Config(**GATED, final_logit_softcapping=2.0),
    "Gemma 3 (text)": lambda: hf.Gemma3TextConfig(**GATED),
    "Gemma 3 (text and images)": _gemma3,
    "GPT-2": lambda: hf.GPT2Config(vocab_size=V, n_embd=H, n_layer=2, n_head=2, n_positions=CONTEXT, **TOKENS),
    "GPT-J": lambda: hf.GPTJConfig(
        vocab_size=V, n_embd=H, n_layer=2, n_head=2, n_positions=CONTEXT, rotary_dim=4, **TOKENS
    ),
    "GPT-Neo": lambda: hf.GPTNeoConfig(
        **SIZE, num_layers=2, num_heads=2, attention_types=[[["global", "local"], 1]], window_size=8
    ),
    "GPT-NeoX": lambda: hf.GPTNeoXConfig(**WIDE, **UNTIED),
    "OPT": lambda: hf.OPTConfig(**SIZE, ffn_dim=24, word_embed_proj_dim=H),
    "OPT with a projected embedding": lambda: hf.OPTConfig(
        **SIZE, ffn_dim=24, word_embed_proj_dim=8, do_layer_norm_before=False
    ),
    "Phi 1 and 2": lambda: hf.PhiConfig(**WIDE, **UNTIED),
    "Phi 3": lambda: hf.Phi3Config(**WIDE, num_key_value_heads=1, **UNTIED),
    "OLMo 2": lambda: hf.Olmo2Config(**WIDE, num_key_value_heads=1, **UNTIED),
    "StableLM": lambda: hf.StableLmConfig(**WIDE, num_key_value_heads=1, **UNTIED),
    "Falcon": lambda: hf.FalconConfig(**SIZE, **TIED, multi_query=True, new_decoder_architecture=False),
    "Falcon (ALiBi)": lambda: hf.FalconConfig(**SIZE, **TIED, alibi=True),
    "Granite": lambda: hf.GraniteConfig(
        **GATED, **TIED, logits_scaling=3.0, embedding_multiplier=2.0, residual_multiplier=0.5
    ),
    "Cohere": lambda: hf.CohereConfig(**WIDE, num_key_value_heads=1, logit_scale=0.25),
    "Bloom": lambda: hf.BloomConfig(vocab_size=V, hidden_size=H, n_layer=2, n_head=2, **TOKENS),
    "T5": lambda: hf.T5Config(vocab_size=V, d_model=H, d_kv=8, d_ff=24, num_layers=2, num_heads=2),
    "Mamba": lambda: hf.MambaConfig(vocab_size=V, hidden_size=H, num_hidden_layers=2, state_size=4, **TOKENS),
}

DECODERS = [name for name in CONFIGS if name != "T5"]


def opened_model(name: str, **changed: object) -> LoadedModel:
    """As a build opens it: the experts of a mixture are layers of their own."""
    loaded = random_model(name, **changed)
    take_apart(loaded.model)
    return loaded


def random_model(name: str, **changed: object) -> LoadedModel:
    """In float64, larger than at initialisation: a model with opinions. `changed`: settings of its configuration."""
    torch.manual_seed(0)
    config = CONFIGS[name]()
    for key, value in changed.items():
        setattr(config.get_text_config(), key, value)
    model = (
        AutoModelForCausalLM.from_config(config, attn_implementation="eager", experts_implementation="eager")
        .to(torch.float64)
        .eval()
    )
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    fuse_attention(model)
    return LoadedModel(model, None, name, "tokens", torch.device("cpu"))
