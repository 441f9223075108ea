"""EDGE: a tiny random model of any architecture, saved with a tokenizer and a project around it, ready for `build`."""

from pathlib import Path

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import PROMPTS, TEXTS, write_lines

ENTRIES = 280  # of the tokenizer; the models have some rows more, as padded vocabularies do

CONFIG = """
[corpus]
files = ["corpus.jsonl"]
[[model]]
name = "m"
family = "f"
path = "model"
[prompts]
file = "prompts.jsonl"
max_new_tokens = 3
saliency = ["grad_x_input", "occlusion"]
[factors]
documents = 8
eigenvalue_documents = 6
[scores]
method = ["ekfac"]
candidates = 6
documents = 4
token_losses = 2
[output]
folder = "build"
[device]
processes = 1
"""


def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(TEXTS, ENTRIES)


def project(model: PreTrainedModel, folder: Path, words: PreTrainedTokenizerFast | None = None) -> Path:
    """The configuration's path; what stands in it may be replaced in its text."""
    model.to(torch.float32).save_pretrained(folder / "model")
    (words or tokenizer()).save_pretrained(folder / "model")
    write_lines(folder / "corpus.jsonl", [{"text": text} for text in TEXTS[:12]])
    write_lines(folder / "prompts.jsonl", PROMPTS[:1])
    path = folder / "m.toml"
    path.write_text(CONFIG)
    return path
