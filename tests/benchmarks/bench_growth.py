"""EDGE: `ask` by the size of the corpus, by part, with its memory: `python -m tests.benchmarks growth`.

Each corpus is indexed by a real `build` of one prompt (kept in --folder: an interrupted run goes on), then asked by a
process of its own, so that what is measured is what a user waits for. Texts are varied, none stands twice. With
--pass N only the first N documents or so are passed through the model, and later partitions of the gradient index
borrow what is kept of these: the time of a scan does not depend on what the bytes say, and the files are as large.

    generation    the model writes the answer
    verbatim      what of it stands in the training texts
    backward      gradients of every token of the answer, solved and factored
    scan          estimates of all documents; then the first ones are shown
    candidates    text index, hidden states, and what the index proposes
    exact         scores of at least the 20 first documents of every token, by layer

With one thread the seconds are those that the processor has worked: on a busy machine they are steadier.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest.mock import patch

from attribution.curvature.blocks import Preconditioner
from attribution.index.corpus_pass import Passed
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from indexer.__main__ import main as main_of_indexer
from indexer.size import corpus_pass as partitions
from tests.benchmarks import alternate
from tests.benchmarks.varied_corpus import varied

DEMO = Path(__file__).parents[2] / "data" / "demo"
TOKENS, ROUNDS = 12, 3
CONFIG = """
[corpus]
files = ["corpus.jsonl"]
[[model]]
name = "{model}"
family = "atlas"
path = "{path}"
[prompts]
file = "prompts.jsonl"
max_new_tokens = {tokens}
[factors]
documents = 600
eigenvalue_documents = 150
[index]
rank = {rank}
candidates = 20
[scores]
documents = 20
position_shares = 3
token_losses = 1
rank = 0
[output]
folder = "build"
[device]
processes = 1
"""
PARTS = ("generation", "verbatim", "backward", "scan", "candidates", "exact")


def prepare(folder: Path, model: str, n: int, rank: float, n_passed: int) -> Path:
    """The configuration of a corpus of n documents, written and built."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "growth.toml"
    config.write_text(CONFIG.format(model=model, path=DEMO / "models" / model, tokens=TOKENS, rank=rank))
    if not (folder / "corpus.jsonl").exists():
        texts = [json.loads(line)["text"] for line in (DEMO / "corpus.jsonl").open()]
        (folder / "corpus.jsonl").write_text(
            "".join(json.dumps({"text": text, "source": "varied"}) + "\n" for text in varied(texts, n))
        )
        prompt = json.loads((DEMO / "prompts.jsonl").open().readline())["prompt"]
        (folder / "prompts.jsonl").write_text(json.dumps({"prompt": prompt}) + "\n")
    with patch.object(partitions, "corpus_pass", Borrowing(vars(partitions)["corpus_pass"], n_passed)):
        if main_of_indexer(["build", str(config)]) != 0:
            raise SystemExit(f"the build in {folder} failed")
    return config


class Borrowing:
    """The corpus pass for the first documents; then what it has made of as many others."""

    def __init__(self, work: Callable[..., Passed], n: int) -> None:
        self._work, self._left = work, n
        self._made: dict[int, Passed] = {}

    def __call__(self, tracked: Tracked, H: Preconditioner, rows: Sequence[Row], *of: Any, **named: Any) -> Passed:
        if self._left <= 0 and len(rows) in self._made:
            return self._made[len(rows)]
        self._left -= len(rows)
        return self._made.setdefault(len(rows), self._work(tracked, H, rows, *of, **named))


def unseen(n: int = 40) -> list[str]:
    """Words that the demo asks nothing about; what they mean takes many tokens to say."""
    rows = [json.loads(line) for line in (DEMO / "corpus.jsonl").open()]
    found = [row["text"].partition(":")[0] + ":" for row in rows if row["source"] == "WordNet"]
    return found[:: len(found) // n][:n]


def measure(config: Path, threads: int) -> dict[str, Any]:
    """In a process of its own: seconds to open, then of each part of a new answer of TOKENS tokens; peaks in MiB."""
    import torch

    from indexer.ask.opened import open_size
    from indexer.ask.steps import Asked, ask
    from indexer.config.config import read_config
    from indexer.corpus.prompt import Prompt
    from indexer.size import index

    torch.set_num_threads(threads)
    clock = alternate.clock()
    memory = _Watched()
    started = clock()
    settings = read_config(config)
    opened = open_size(settings, settings.model[0].name)
    opening = clock() - started
    at_rest = _status("RssAnon")
    timed = _Timed(vars(index)["products"], clock)
    parts: list[list[float]] = []
    n_scored: list[float] = []
    at: dict[str, float] = {}

    def reached(stage: str, _fraction: float, asked: Asked) -> None:
        at.setdefault(stage, clock())
        if asked.answer.n_targets != TOKENS or asked.exact is not None:
            at["end"], at["scored"] = clock(), 0.0 if asked.found is None else float(len(asked.found.documents))
            raise _Enough

    with patch.object(index, "products", timed):
        for prompt in unseen():
            at.clear()
            before, started = timed.seconds, clock()
            with suppress(_Enough):
                ask(opened, Prompt.from_text(prompt), reached)
            if len(parts) > ROUNDS:
                break
            if not at["scored"]:
                continue
            scan = timed.seconds - before
            written, estimated = at["gradients of the answer"], at["candidates for exact scores"]
            proposed, exact = at["exact scores"], at["end"]
            said = at["what stands in training texts"]
            parts.append([said - started, written - said, estimated - written - scan, scan, proposed - estimated])
            parts[-1].append(exact - proposed)
            n_scored.append(at["scored"])
    medians = [statistics.median(of) for of in zip(*parts[1:], strict=True)]  # the first pays for what is done once
    return {
        "documents": len(opened.member.documents),
        "opening": opening,
        "parts": dict(zip(PARTS, medians, strict=True)),
        "first": sum(parts[0][2:4]),
        "scored": statistics.median(n_scored),
        "private at rest": at_rest,
        "private": memory.highest(),
        "resident": _status("VmHWM"),
    }


class _Enough(Exception):
    """What is measured is known."""


class _Timed:
    """A function, and the seconds that were spent in it."""

    def __init__(self, work: Callable[..., Any], clock: Callable[[], float]) -> None:
        self.seconds, self._work, self._clock = 0.0, work, clock

    def __call__(self, *of: Any) -> Any:
        started = self._clock()
        try:
            return self._work(*of)
        finally:
            self.seconds += self._clock() - started


class _Watched:
    """The most private memory of this process since it was made."""

    def __init__(self) -> None:
        self._highest, self._done = 0.0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._done.wait(0.05):
            self._highest = max(self._highest, _status("RssAnon"))

    def highest(self) -> float:
        self._done.set()
        return self._highest


def _status(name: str) -> float:
    """MiB, as /proc says."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024


def show(found: dict[str, Any]) -> None:
    parts = found["parts"]
    first = parts["backward"] + parts["scan"]
    print(
        f"  {found['documents']:9,}  {found['opening']:7.2f}"
        + "".join(f"  {parts[name]:10.2f}" for name in PARTS)
        + f"  {first:9.2f}  {first + parts['candidates'] + parts['exact']:9.2f}  {found['scored']:6.0f}"
        f"  {found['private at rest']:8.0f}  {found['private']:7.0f}  {found['resident']:8.0f}",
        flush=True,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="atlas-m")
    parser.add_argument("--documents", type=int, nargs="+", default=[1000, 6461, 25_000, 100_000])
    parser.add_argument("--rank", type=float, default=2.0, help="size of the gradient index")
    parser.add_argument("--pass", dest="passed", type=int, help="documents that are passed through the model")
    parser.add_argument("--threads", type=int, default=2, help="of the process that asks; with 1, seconds of work")
    parser.add_argument("--folder", type=Path, help="keeps the builds; otherwise they are removed")
    parser.add_argument("--only", choices=["build", "ask"], help="ask: of builds that are kept")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(measure(given.measure, given.threads)))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        home = given.folder or Path(scratch)
        folders = {n: home / f"{given.model}-{n}" for n in given.documents}
        if given.only != "ask":
            for n, folder in folders.items():
                prepare(folder, given.model, n, given.rank, given.passed or n)
        if given.only == "build":
            return 0
        print(f"\n{given.model}: a new answer of {TOKENS} tokens, {given.threads} threads; seconds, median of {ROUNDS}")
        print(
            "  documents  opening"
            + "".join(f"  {name:>10}" for name in PARTS)
            + "  estimates      exact  scored   at rest  private  resident (MiB)"
        )
        for folder in folders.values():
            command = [sys.executable, "-m", "tests.benchmarks.bench_growth", "--measure", str(folder / "growth.toml")]
            made = subprocess.run(
                [*command, "--threads", str(given.threads)], check=True, capture_output=True, text=True
            )
            show(json.loads(made.stdout.splitlines()[-1]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
