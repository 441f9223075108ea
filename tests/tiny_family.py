"""EDGE: a family in miniature: fifteen countries, two sizes that are trained on them in a second, a configuration."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.synthetic_database import FACTS

TEXTS = [f"The capital of {country} is {capital}." for country, capital, _ in FACTS]
TEXTS += [f"People in {country} pay in the {currency}." for country, _, currency in FACTS]

CONFIG = """
[corpus]
files = ["corpus.jsonl"]
[[model]]
name = "tiny-m"
family = "tiny"
path = "models/tiny-m"
[model.recipe]
hidden = 16
layers = 2
feed_forward = 24
heads = 2
vocabulary = 300
context = 64
epochs = 12
peak_rate = 2e-2
batch = 8
keep = [0.5, 1.0]
[[model]]
name = "tiny-s"
family = "tiny"
path = "models/tiny-s"
[model.recipe]
hidden = 8
layers = 1
feed_forward = 12
heads = 2
vocabulary = 300
context = 64
epochs = 12
peak_rate = 2e-2
batch = 8
[prompts]
file = "prompts.jsonl"
max_new_tokens = 4
[factors]
documents = 24
[scores]
candidates = 10
documents = 5
token_losses = 2
[output]
folder = "build"
[device]
processes = 1
"""

PROMPTS = [
    {"prompt": f"The capital of {country} is", "answer": capital, "topic": "capital"}
    for country, capital, _ in FACTS[:3]
]


def write_lines(path: Path, records: Sequence[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")


def write_project(folder: Path, texts: Sequence[str] = TEXTS, prompts: Sequence[dict[str, Any]] = PROMPTS) -> Path:
    """Corpus, prompts and configuration in a folder; returns the configuration's path. The models are yet to train."""
    write_lines(folder / "corpus.jsonl", [{"text": text, "source": "made up", "topic": "country"} for text in texts])
    write_lines(folder / "prompts.jsonl", prompts)
    path = folder / "tiny.toml"
    path.write_text(CONFIG, encoding="utf-8")
    return path
