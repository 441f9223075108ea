"""EDGE: does a document that states the answer lead? `python -m tests.benchmarks words [FOLDER]` reads a database.

Asked are the right answers to prompts whose file says which documents state the fact (`supports`). A document leads
that stands first in the exact ranking: of the first token that tells the fact, of the word that this token is in, and
of the whole answer; beside it by the sum of what is kept for each token, which leaves out what is not.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from indexer.ask.opened import configuration
from indexer.config.config import Config
from indexer.corpus.prompt import Prompt
from indexer.corpus.prompt_file import read_prompts
from indexer.corpus.verdict import is_right
from indexer.database.reader import Database, Snapshot

TARGETS = ("token", "word", "answer", "sum of tokens")


@dataclass(frozen=True)
class Right:
    """A right answer of a size, and the documents that lead for it by each of TARGETS."""

    size: str
    prompt: str
    stating: frozenset[str]
    leads: dict[str, str]

    def found(self, by: str) -> bool:
        return self.leads.get(by) in self.stating


def rights(snapshot: Snapshot, config: Config) -> list[Right]:
    """Of every size, its right answers to prompts with `supports` that the size has read."""
    files = {model.name: model.prompts or config.prompts.file for model in config.model}
    known = {file: {each.prompt_id: each for each in read_prompts(file)} for file in set(files.values())}
    held = {row["document_id"] for row in snapshot.rows("SELECT document_id FROM document")}
    found = []
    rows = snapshot.rows(
        """SELECT run_id, model.name, generation_id, prompt_id, generation.text FROM generation
           JOIN model USING (model_id) JOIN run USING (model_id) WHERE method LIKE 'ekfac' OR method LIKE 'ekfac, %'
           ORDER BY n_params, name, prompt_id"""
    )
    for row in rows:
        prompt = known[files[row["name"]]].get(row["prompt_id"])
        if prompt is None or not is_right(prompt.answer, row["text"], prompt.kind):
            continue
        stating = held.intersection(prompt.supports)
        if stating:
            found.append(Right(row["name"], prompt.text, frozenset(stating), _leads(snapshot, row, prompt)))
    return found


def _leads(snapshot: Snapshot, row: dict[str, Any], prompt: Prompt) -> dict[str, str]:
    of = [row["run_id"], row["generation_id"]]
    begin = max(0, row["text"].find(prompt.fact))
    tokens = snapshot.rows(
        "SELECT position, start, stop FROM generation_token WHERE generation_id = ? ORDER BY position", of[1:]
    )
    telling = next(
        (each["position"] for each in tokens if row["text"][max(each["start"], begin) : each["stop"]].strip()), 0
    )
    span = "SELECT document_id FROM span_influence JOIN span USING (generation_id, span) WHERE run_id = ? AND rank = 1"
    asked = {
        "token": ("SELECT document_id FROM influence WHERE run_id = ? AND rank = 1 AND generation_id = ? AND "
                  "position = ?", [*of, telling]),
        "word": (f"{span} AND generation_id = ? AND kind = 'word' AND ? BETWEEN first AND last ORDER BY span",  # noqa: S608
                 [*of, telling]),
        "answer": (f"{span} AND generation_id = ? AND kind = 'answer'", of),  # noqa: S608
        "sum of tokens": ("SELECT document_id FROM influence WHERE run_id = ? AND generation_id = ? "
                          "GROUP BY document_id ORDER BY sum(score) DESC LIMIT 1", of),
    }  # fmt: skip
    found = {name: snapshot.rows(sql, values) for name, (sql, values) in asked.items()}
    return {name: rows[0]["document_id"] for name, rows in found.items() if rows}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("data/demo/build"), help="output folder of a build"
    )
    parser.add_argument("--missed", action="store_true", help="name the prompts whose answer another document leads")
    chosen = parser.parse_args(arguments)
    found = rights(Database(chosen.folder).current(), configuration(chosen.folder))
    print(f"{'size':>16} {'right':>6}", *(f"{name:>16}" for name in TARGETS))
    for size in dict.fromkeys(each.size for each in found):
        some = [each for each in found if each.size == size]
        led = [sum(each.found(by) for each in some) for by in TARGETS]
        print(f"{size:>16} {len(some):>6}", *(f"{n:>10} {n / len(some):.2f} " for n in led))
    for each in found if chosen.missed else ():
        if not each.found("answer"):
            print(f"{each.size}: {each.prompt!r}")


if __name__ == "__main__":
    main()
