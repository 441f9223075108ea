"""EDGE: which conversation each answer of `make demo-llm` leads to: `python -m tests.benchmarks lora`.

Of a right answer the conversation that states the fact should be first by the influence on the name, the sum over its
tokens; of a wrong one that names what belongs to another town, the conversation about that town. Reads the database
that `make demo-llm` published; with --all it first builds one of its own, in which every fact is asked for.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

import whence
from data.build_llm.__main__ import write
from data.build_llm.asked import whose
from data.build_llm.conversations import asked
from data.build_llm.places import ADAPTER, BASE, CONVERSATIONS, FOLDER
from data.build_llm.prompts import one
from data.build_llm.towns import Fact, facts
from indexer.corpus.verdict import is_right

CONFIG = """
[[model]]
name = "SmolLM2-135M-towns"
family = "SmolLM2"
path = "{adapter}"
base = "{base}"
stage = "finetuned"
files = ["{told}"]

[prompts]
file = "prompts.jsonl"
saliency = []
masks = 0

[scores]
documents = 120
position_shares = 0
token_losses = 0

[output]
folder = "build"
"""


def traced(runs: "whence.runs.Runs") -> pd.DataFrame:
    """A row for each answer to a fact: what it says, whose name that is, and the places of two conversations by the
    influence on the name: the one that states the fact, and the one that states what was written. 0: not kept."""
    known, found = facts(), []
    of_question = {of.asked: of for of in known}
    for _, row in runs.answers().iterrows():
        of = next((of for question, of in of_question.items() if question in row["prompt"]), None)
        if of is None:
            continue
        right = is_right(of.value, row["text"], "chat")
        other = of if right else whose(row["text"], of, known)
        documents = runs.answer(row["generation_id"]).documents(_name(runs, row, other))
        places = {title: n for n, title in enumerate(documents["title"], start=1)}
        first = documents["title"].iloc[0]
        found.append(
            {
                "fact": of.id,
                "right": right,
                "written": row["text"].strip(),
                "told in": other.id if other else "nobody's",
                "states it": places.get(of.title, 0),
                "says what was written": places.get(other.title, 0) if other else 0,
                "first": first,
            }
        )
    return pd.DataFrame(found)


def _name(runs: "whence.runs.Runs", row: "pd.Series[str]", of: Fact | None) -> tuple[int, int] | None:
    """The tokens of the name, from the first to the last; None, for all, where it is nobody's."""
    if of is None:
        return None
    tokens, start = runs.answer(row["generation_id"]).tokens, row["text"].index(of.value)
    inside = (tokens["start"] < start + len(of.value)) & (tokens["stop"] > start)
    places = [int(i) for i in tokens["position"][inside]]
    return places[0], places[-1]


def built(folder: Path) -> Path:
    """A database in which every fact is asked for; an interrupted build goes on."""
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "prompts.jsonl", [one(of, asked) for of in facts()])
    config = folder / "all.toml"
    places = {"adapter": ADAPTER, "base": BASE, "told": CONVERSATIONS}
    config.write_text(CONFIG.format(**{name: json.dumps(str(each))[1:-1] for name, each in places.items()}))
    subprocess.run([sys.executable, "-m", "whence", "build", str(config)], check=True)
    return folder / "build"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--all", action="store_true", help="ask for every fact, in a build of its own")
    parser.add_argument("--folder", type=Path, default=Path("build/lora"), help="of that build")
    chosen = parser.parse_args(arguments)
    found = traced(whence.open(built(chosen.folder.resolve()) if chosen.all else FOLDER / "build" / "towns"))
    print(found.to_string())
    right, wrong = found[found["right"]], found[~found["right"]]
    print(f"{len(right)} of {len(found)} answers right; the conversation that states the fact is")
    for most in (1, 3):
        print(f"  in the first {most} for {right['states it'].between(1, most).sum()} of {len(right)}")
    mixed = wrong[wrong["told in"] != "nobody's"]
    print(f"{len(wrong)} wrong, {len(mixed)} of them with what is told of another town; that conversation is")
    for most in (1, 3):
        print(f"  in the first {most} for {mixed['says what was written'].between(1, most).sum()} of {len(mixed)}")


if __name__ == "__main__":
    main()
