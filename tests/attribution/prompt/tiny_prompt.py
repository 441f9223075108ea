"""A random tiny Llama in float64, a byte-level tokenizer, and prompts for them."""

from functools import cache

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

VOCABULARY = 260  # the 256 bytes, bos, eos, and two control tokens
CHAT = (
    "{% for message in messages %}<|turn|>{{ message['role'] }}\n{{ message['content'] | trim }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|turn|>assistant\n{% endif %}"
)
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and not enable_thinking %}<think>\n\n</think>\n\n{% endif %}{% endif %}"
)


@cache
def tiny_model(seed: int = 0, dtype: torch.dtype = torch.float64) -> LlamaForCausalLM:
    """Two blocks with large random weights: a model with opinions."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=4096,
        tie_word_embeddings=True,
        bos_token_id=256,
        eos_token_id=257,
        pad_token_id=None,
    )
    config._attn_implementation = "eager"
    model = LlamaForCausalLM(config).to(dtype).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    return model


def byte_tokenizer(chat: bool = False) -> PreTrainedTokenizerFast:
    """One id for each byte, so that an emoji is spread over four of them."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    specials = {"bos_token": "<bos>", "eos_token": "<|end|>", "additional_special_tokens": ["<|turn|>"]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
    begins = processors.TemplateProcessing(single="<bos> $A", special_tokens=[("<bos>", tokenizer.bos_token_id)])
    tokenizer.backend_tokenizer.post_processor = begins  # what says that the model was trained with it
    tokenizer.chat_template = CHAT if chat else None
    return tokenizer


def chatml_tokenizer() -> PreTrainedTokenizerFast:
    """In the style of Qwen 2.5: no bos, and the end of a turn is the end of everything."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    backend = Tokenizer(models.BPE({letter: i for i, letter in enumerate(letters)}, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    specials = {"eos_token": "<|im_end|>", "additional_special_tokens": ["<|im_start|>"]}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
    tokenizer.chat_template = CHATML
    return tokenizer


def sentences_with_spaces() -> PreTrainedTokenizerFast:
    """In the style of SentencePiece: a space is put before whatever is given, and falls off when it is decoded."""
    words = {f"▁{word}": i for i, word in enumerate(("ab", "cd", "ef"))}
    letters = {letter: len(words) + i for i, letter in enumerate("▁abcdef$(\n")}
    vocabulary = words | letters | {"▁a": 20, "▁c": 21, "▁e": 22}
    merges = [("▁", "a"), ("▁", "c"), ("▁", "e"), ("▁a", "b"), ("▁c", "d"), ("▁e", "f")]
    backend = Tokenizer(models.BPE(vocabulary, merges))
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    backend.decoder = decoders.Metaspace(prepend_scheme="always")
    specials = {"bos_token": "<s>", "eos_token": "</s>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **specials)
    begins = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", tokenizer.bos_token_id)])
    tokenizer.backend_tokenizer.post_processor = begins
    return tokenizer
