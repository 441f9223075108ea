"""EDGE: what each size of the demo family knows: `python -m data.knowledge` prints the table of data/README.md, and
below it what the fine-tuned models have learned.

A fact counts as known when greedy decoding writes it. Greedy decoding writes exactly the answer's tokens if and only
if each of them is the most likely one given those before it, so that one forward pass decides.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from attribution.loading.load import LoadedModel, load_model
from attribution.model.sequence import encode_prompt
from data.build_corpus import readings
from data.build_corpus.fact import Fact
from indexer.config.config import read_config
from indexer.training.batches import batch

# question -> (source, topic, tokens of the answer that must be right; 0: all)
QUESTIONS = {
    "capitals": ("World Factbook", "capital", 0),
    "chemical symbols": ("Elements", "symbol", 0),
    "continents": ("GeoNames", "continent", 0),
    "highest points": ("World Factbook", "highest point", 0),
    "WordNet glosses, first four tokens": ("WordNet", "noun.substance", 4),
}


@dataclass(frozen=True)
class Question:
    prompt: str
    text: str  # prompt and answer, as they stand in the document


def questions(facts: list[dict[str, str]], source: str, topic: str) -> list[Question]:
    """One for each document of the topic that states its answer after some words."""
    asked = []
    for fact in facts:
        if (fact["source"], fact["topic"]) == (source, topic) and fact["answer"] in fact["text"]:
            start = fact["text"].rindex(fact["answer"])  # the last one: "The capital of Singapore is Singapore."
            if start:
                asked.append(Question(fact["text"][:start].rstrip(), fact["text"][: start + len(fact["answer"])]))
    return asked


def share_known(loaded: LoadedModel, asked: list[Question], n_tokens: int) -> float:
    """Share of the questions whose answer (its first `n_tokens`; 0: all of it) is written by greedy decoding."""
    right = 0
    for start in range(0, len(asked), 64):
        part = asked[start : start + 64]
        begins = [len(encode_prompt(each.prompt, loaded.tokenizer, loaded.context)) for each in part]
        rows = [encode_prompt(each.text, loaded.tokenizer, loaded.context).ids for each in part]
        if n_tokens:  # what follows them decides nothing
            rows = [row[: begin + n_tokens] for row, begin in zip(rows, begins, strict=True)]
        learned = [np.arange(len(row)) >= begin for row, begin in zip(rows, begins, strict=True)]
        made = batch(rows, end=rows[0][0], learned=learned)
        with torch.inference_mode():
            best = loaded.model(input_ids=made.tokens).logits.argmax(-1)  # [B, T]
        for i, begin in enumerate(begins):
            scored = slice(begin - 1, len(rows[i]) - 1)
            right += bool((best[i, scored] == made.labels[i, scored]).all())
    return right / len(asked)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.knowledge", description=__doc__)
    parser.add_argument("config", type=Path, nargs="?", default=Path("data/demo/demo.toml"))
    config = read_config(parser.parse_args().config)
    facts = [fact for file in config.corpus.files for fact in _lines(file)]
    models = [model for model in config.model if model.stage == "pretrained"]
    loaded = [load_model(model.path) for model in models]
    print("| greedy decoding writes | of | " + " | ".join(model.name for model in models) + " |")
    print("| --- " * (2 + len(models)) + "|")
    print("| parameters | | " + " | ".join(f"{each.n_params / 1e6:.2f} M" for each in loaded) + " |")
    for name, (source, topic, n_tokens) in QUESTIONS.items():
        asked = questions(facts, source, topic)
        shares = [f"{share_known(each, asked, n_tokens):.2f}" for each in loaded]
        print(f"| {name} | {len(asked)} | " + " | ".join(shares) + " |", flush=True)
    children = {model.name: load_model(model.path) for model in config.model if model.parent}
    sets: dict[str, list[dict[str, Any]]] = {}
    sets["readings about other countries"] = readings.unseen([Fact(**each) for each in facts])
    files = {file.name: _lines(file) for model in config.model if model.parent for file in model.files}
    sets |= {f"questions of {name}": rows for name, rows in files.items() if "chosen" in rows[0]}
    for name, rows in sets.items():
        put = [Question(each["prompt"], each["prompt"] + _right(each)) for each in rows]
        shares = [f"{child} {share_known(each, put, 0):.2f}" for child, each in children.items()]
        print(f"{name}, {len(put)}: " + ", ".join(shares), flush=True)


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _right(record: dict[str, str]) -> str:
    return record.get("completion") or record["chosen"]


if __name__ == "__main__":
    main()
