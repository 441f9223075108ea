"""EDGE: suffix arrays over a large corpus, and an answer looked for in it: `python -m tests.benchmarks verbatim`.

First every answer of a database that is built (`--config`): spans and places as looking at every place finds them. Then
documents as long-winded as the demo's, in a process of its own: processor seconds and memory until their arrays are
built, bytes on disk, and milliseconds of an answer of 24 tokens (the first by the clock, as files are opened, the
others by the processor).
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import AutoTokenizer

from attribution.passes.batches import Row, Rows
from attribution.passes.token_run import run_of
from indexer.config.config import read_config
from indexer.config.verbatim import Verbatim
from indexer.database.reader import Database
from indexer.database.snapshot_file import read_current
from indexer.size.member import open_member
from indexer.verbatim import arrays
from indexer.verbatim.arrays import laid_out
from indexer.verbatim.found import words_of
from tests.benchmarks.own_memory import watched
from tests.benchmarks.varied_corpus import varied

DEMO = Path(__file__).parents[2] / "data" / "demo"
N_ASKED, N_TOKENS = 200, 24


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--config", type=Path, default=DEMO / "demo.toml")
    parser.add_argument("--documents", type=int, nargs="*", default=[10_000, 1_000_000])
    parser.add_argument("--tokenizer", type=Path, default=DEMO / "models" / "atlas-s")
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "DOCUMENTS"))
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(Path(given.child[0]), int(given.child[1]), given.tokenizer)))
        return
    if read_current(given.config.parent / "build") is None:
        print(f"no database beside {given.config}: build it to compare its answers with looking everywhere")
    else:
        compared(given.config)
    widths = (11, 13, 8, 9, 9, 9, 8, 8, 8)
    heads = ("documents", "tokens", "build s", "own MB", "disk MB", "first ms", "median", "p95", "spans")
    print("".join(f"{head:>{width}}" for head, width in zip(heads, widths, strict=True)))
    for n in given.documents:
        with tempfile.TemporaryDirectory(dir=os.environ.get("WHENCE_BENCH_FOLDER")) as folder:
            command = [sys.executable, "-m", "tests.benchmarks.bench_verbatim", "--child", folder, str(n)]
            command += ["--tokenizer", str(given.tokenizer)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        values = (
            *(f"{found['documents']:,}", f"{found['tokens']:,}", f"{found['seconds']:.1f}"),
            *(f"{found['own'] / 1e6:.0f}", f"{found['disk'] / 1e6:.0f}", f"{found['first']:.1f}"),
            *(f"{found['median']:.1f}", f"{found['p95']:.1f}", f"{found['spans']:.1f}"),
        )
        print("".join(f"{value:>{width}}" for value, width in zip(values, widths, strict=True)), flush=True)


def compared(config: Path) -> None:
    """The rows of the database against looking at every place; raises AssertionError where they differ."""
    read = read_config(config)
    now = Database(read.output.folder).current()
    for entry in read.model:
        ids: dict[str, list[int]] = {}
        for row in now.rows(
            """SELECT generation_id, token_id FROM generation_token JOIN generation USING (generation_id)
               JOIN model USING (model_id) WHERE name = ? ORDER BY generation_id, position""",
            [entry.name],
        ):
            ids.setdefault(row["generation_id"], []).append(row["token_id"])
        if not ids:
            continue
        member = open_member(entry, read)
        text, windows = laid_out(run_of(member.rows), 0, member.loaded.n_rows)
        n_spans = 0
        for generation_id, asked in ids.items():
            said = now.rows("SELECT * FROM verbatim WHERE generation_id = ? ORDER BY first", [generation_id])
            expected = everywhere(text.astype(np.int64), np.array(asked) + 1, read.verbatim.shortest)
            assert [(row["first"], row["last"]) for row in said] == sorted(expected)
            n_spans += len(said)
            for row in said:
                window = np.searchsorted(windows[0], expected[row["first"], row["last"]], side="right") - 1
                documents = windows[1][window]
                places = windows[2][window] + expected[row["first"], row["last"]] - windows[0][window]
                where = {(member.document_ids[d], t) for d, t in zip(documents.tolist(), places.tolist(), strict=True)}
                assert (row["n_places"], row["n_documents"]) == (len(where), len({d for d, _ in where}))
                kept = now.rows(
                    "SELECT document_id, token_position FROM verbatim_place WHERE generation_id = ? AND first = ?",
                    [generation_id, row["first"]],
                )
                assert {(place["document_id"], place["token_position"]) for place in kept} <= where
        print(f"{entry.name}: {len(ids)} answers, {n_spans} spans: as looking at every place finds them", flush=True)


def everywhere(
    text: NDArray[np.int64], asked: NDArray[np.int64], shortest: int
) -> dict[tuple[int, int], NDArray[np.int64]]:
    """(first, last) of the longest spans -> their places, by keeping of all places those that go on alike."""
    found: dict[tuple[int, int], NDArray[np.int64]] = {}
    reached = -1
    for first in range(len(asked)):
        places = np.flatnonzero(text == asked[first])
        last = first
        while len(places) and last + 1 < len(asked):
            further = places[places + last + 1 - first < len(text)]
            further = further[text[further + last + 1 - first] == asked[last + 1]]
            if not len(further):
                break
            places, last = further, last + 1
        if len(places) and last > reached and last + 1 - first >= shortest:
            found[first, last] = places
        if len(places):
            reached = max(reached, last)
    return found


@dataclass
class Made:
    """As much of a member as the arrays ask for: documents that are made up."""

    rows: Rows
    n_rows: int
    read_as: str = "made-up"
    config: Any = None
    own_documents: range = range(0)
    n_stages: int = 1
    loaded: Any = None
    texts: Any = None
    stages: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.texts = self.loaded = self.config = self
        self.verbatim, self.n_documents, self.stages = Verbatim(), len(self.rows), [self]


def child(folder: Path, n: int, tokenizer: Path) -> dict[str, float]:
    member = made(n, tokenizer)
    started = time.process_time()
    with watched() as memory:
        arrays.keep(folder, member)  # type: ignore[arg-type]
    seconds = time.process_time() - started
    started = time.monotonic()
    words = words_of(folder, member)  # type: ignore[arg-type]
    assert words is not None
    asked = questions(member.rows)
    n_spans = len(words.of(asked[0]))
    first = time.monotonic() - started
    times = []
    for each in asked:
        started = time.process_time()
        n_spans += len(words.of(each))
        times.append(1000 * (time.process_time() - started))
    disk = sum(file.stat().st_size for file in (folder / "parts").rglob("*.npy"))
    n_tokens = sum(int(of.suffixes._order.size) for _, of in words.arrays)
    return {
        **{"documents": n, "tokens": n_tokens, "seconds": seconds, "own": memory.peak - memory.before, "disk": disk},
        **{"first": 1000 * first, "median": float(np.median(times)), "p95": float(np.quantile(times, 0.95))},
        "spans": n_spans / (len(asked) + 1),
    }


def made(n: int, tokenizer: Path) -> Made:
    """n documents in one array of ids."""
    texts = [json.loads(line)["text"] for line in (DEMO / "corpus.jsonl").open(encoding="utf-8")]
    words = AutoTokenizer.from_pretrained(tokenizer)
    pieces, lengths = [], []
    all_texts = list(varied(texts, n))
    for start in range(0, n, 10_000):
        for ids in words(all_texts[start : start + 10_000], verbose=False)["input_ids"]:
            pieces.append(np.array([*ids, words.eos_token_id], dtype=np.int32))
            lengths.append(len(pieces[-1]))
    ids, ends = np.concatenate(pieces), np.cumsum(lengths)
    del pieces, all_texts
    rows = Rows(n, lambda i: Row(tuple(ids[ends[i] - lengths[i] : ends[i]].tolist())))
    return Made(rows, len(words))


def questions(rows: Rows) -> list[list[int]]:
    """Pieces of documents, joined: as far as an answer of a model that copies is."""
    random, found = np.random.default_rng(0), []
    for _ in range(N_ASKED):
        asked: list[int] = []
        while len(asked) < N_TOKENS:
            ids = rows[int(random.integers(len(rows)))].ids
            start = int(random.integers(len(ids)))
            asked += ids[start : start + int(random.integers(1, 12))]
        found.append(asked[:N_TOKENS])
    return found


if __name__ == "__main__":
    main()
