"""EDGE: a build and `ask` by the size of the corpus, stage by stage: `python -m tests.benchmarks scale`.

Corpora of `varied_corpus`, each built and asked with atlas-s in processes of their own, whose memory is looked at a
hundred times a second. What is in --folder is neither done nor measured again: an interrupted run goes on.

    s         that the processor has worked, all threads together: on a busy machine the wall's clock says little
    ratio     to the size before
    own MB    at the highest, of what belongs to the process: pages of mapped files are the system's

With --pass N only the first N documents (whole partitions of 2,048) go through the model. Later partitions of the
gradient index borrow what is kept of these: files are as large, and the time of a scan does not depend on what the
bytes say. The time of the whole pass is told from that of the sample, and marked `~`. With --text N the text index
holds the first N documents, and its time is told from them, marked likewise. There are no groups: their sums are a
second pass over all documents.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

from attribution.index.corpus_pass import Passed
from attribution.passes.batches import Row
from indexer.__main__ import main as main_of_indexer
from indexer.config.text_engine import TANTIVY
from indexer.corpus.document import Document
from indexer.database.snapshot_file import read_current
from indexer.pipeline import build as building
from indexer.pipeline import shared
from indexer.processes.progress import Report, Task
from indexer.size import corpus_pass as partitions
from tests.benchmarks.bench_growth import CONFIG, DEMO, PARTS, TOKENS, Borrowing
from tests.benchmarks.own_memory import watched
from tests.benchmarks.varied_corpus import of_demo

MODEL = "atlas-s"
FOUND = "measured.json"  # of a size: stage -> {"s": …, "MB": …}, and what was borrowed
MAKING, READING, PUBLISHING, AGAIN = "make the corpus", "read the files", "publish", "publish one prompt more"
TEXT, PASS = "text index", "corpus pass"
Found = dict[str, dict[str, float]]
Moment = tuple[float, float]  # seconds since the epoch, and seconds of work of this process
Noted = tuple[str, Moment, Moment]


def now() -> Moment:
    return time.time(), time.process_time()


class Recording(Report):
    """A report that notes when each of its tasks began and ended."""

    noted: list[Noted] = []

    @contextmanager
    def task(self, name: str, total: float, *, quiet: bool = False) -> Iterator[Task]:
        started = now()
        try:
            with super().task(name, total, quiet=quiet) as made:
                yield made
        finally:
            if name != "build":
                self.noted.append((name.rpartition(": ")[2], started, now()))


class Passing(Borrowing):
    """The corpus pass of some documents, borrowed by the others; how many really were passed, and their seconds."""

    passed, seconds = 0, 0.0

    def __init__(self, n: int) -> None:
        super().__init__(self._timed, n)
        self._real = vars(partitions)["corpus_pass"]

    def _timed(self, tracked: Any, H: Any, rows: Sequence[Row], *of: Any, **named: Any) -> Passed:
        started = time.process_time()
        made: Passed = self._real(tracked, H, rows, *of, **named)
        self.passed, self.seconds = self.passed + len(rows), self.seconds + time.process_time() - started
        return made


def few(write: Callable[..., None], n: int) -> Callable[..., None]:
    """A text index of the first documents."""

    def written(documents: Iterable[Document], *of: Any, **named: Any) -> None:
        write(islice(documents, n), *of, **named)

    return written


def prepare(folder: Path, n: int, rank: float, prompts: int) -> Path:
    """The configuration; the corpus is written where it is not."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "corpus.jsonl").exists():
        unfinished, started = folder / "corpus.partial", time.process_time()
        with watched() as memory, unfinished.open("w", encoding="utf-8") as file:
            file.writelines(of_demo(n))
        unfinished.rename(folder / "corpus.jsonl")
        note(folder, {MAKING: (time.process_time() - started, memory.peak)})
    asked = (DEMO / "prompts.jsonl").read_text(encoding="utf-8").splitlines()[:prompts]
    lines = (json.dumps({"prompt": json.loads(line)["prompt"]}) + "\n" for line in asked)
    (folder / "prompts.jsonl").write_text("".join(lines), encoding="utf-8")
    config = folder / "scale.toml"
    made = CONFIG.format(model=MODEL, path=DEMO / "models" / MODEL, tokens=TOKENS, rank=rank)
    one_engine = made.replace("[corpus]\n", f'[corpus]\ntext_engine = "{TANTIVY}"\n', 1)  # of all sizes alike
    config.write_text(one_engine + "[groups]\nby = []\n")
    return config


def build(config: Path, n_passed: int, n_text: int, again: bool) -> None:
    """In a process of its own: the build of one prompt, or then of one more."""
    passing, Recording.noted = Passing(n_passed), []
    with watched() as memory:
        started = now()
        try:
            with (
                patch.object(building, "Report", Recording),
                patch.object(partitions, "corpus_pass", passing),
                patch.object(shared, "write_text_index", few(vars(shared)["write_text_index"], n_text)),
            ):
                code = main_of_indexer(["build", str(config)])
        finally:
            noted, ended = Recording.noted, now()
    last = noted[-1][2] if noted else ended
    if again:
        of = [(AGAIN, last, ended)]
    else:
        of = [
            (READING, started, noted[0][1] if noted else ended),
            *noted,
            *([] if code else [(PUBLISHING, last, ended)]),
        ]
    made: dict[str, tuple[float, float]] = {}
    for name, since, until in of:
        before = made.get(name, (0.0, 0.0))
        made[name] = before[0] + until[1] - since[1], max(before[1], memory.between(since[0], until[0]))
    note(config.parent, made)
    if passing.passed:
        about(config.parent, "passed", passing.passed, passing.seconds)
    if code:
        raise SystemExit(f"the build of {config} ended with {code}: the same command goes on")
    current = read_current(config.parent / "build")
    about(config.parent, "published", 0 if current is None else current.bytes, 0.0)


def note(folder: Path, made: dict[str, tuple[float, float]]) -> None:
    """Add to what is known: an interrupted stage goes on, so that seconds add up."""
    found = known(folder)
    for name, (seconds, most) in made.items():
        before = found.get(name, {"s": 0.0, "MB": 0.0})
        found[name] = {"s": before["s"] + seconds, "MB": max(before["MB"], most / 1e6)}
    (folder / FOUND).write_text(json.dumps(found, indent=1) + "\n")


def about(folder: Path, name: str, n: float, seconds: float) -> None:
    found = known(folder) | {f"({name})": {"n": n, "s": seconds}}
    (folder / FOUND).write_text(json.dumps(found, indent=1) + "\n")


def known(folder: Path) -> Found:
    path = folder / FOUND
    found: Found = json.loads(path.read_text()) if path.exists() else {}
    return found


def measured(folder: Path, n: int, given: argparse.Namespace) -> Found:
    """What is known of one size when all of it is done."""
    child = [sys.executable, "-m", "tests.benchmarks.bench_scale", "--pass", str(given.passed or n)]
    child += ["--text", str(given.text or n), "--build"]
    config = prepare(folder, n, given.rank, prompts=1)
    if PUBLISHING not in known(folder):
        subprocess.run([*child, str(config)], check=True)
    if AGAIN not in known(folder):
        prepare(folder, n, given.rank, prompts=2)
        subprocess.run([*child, str(config), "--again"], check=True)
    if "ask: scan" not in known(folder):
        command = [sys.executable, "-m", "tests.benchmarks.bench_growth", "--threads", str(given.threads)]
        made = subprocess.run([*command, "--measure", str(config)], check=True, capture_output=True, text=True)
        of = json.loads(made.stdout.splitlines()[-1])
        most = of["private"] * (1 << 20)
        note(folder, {"ask: open": (of["opening"], of["private at rest"] * (1 << 20))})
        note(folder, {f"ask: {part}": (of["parts"][part], most) for part in PARTS})
    return known(folder)


def row(name: str, found: Found, n: int, n_text: int) -> tuple[float, float, str]:
    """Seconds, own MB and the mark of what was told from a sample."""
    of, mark = found.get(name, {"s": float("nan"), "MB": float("nan")}), ""
    seconds = of["s"]
    passed = found.get("(passed)", {"n": n, "s": 0.0})
    if name == PASS and passed["n"] < n:
        seconds, mark = seconds + (n / passed["n"] - 1) * passed["s"], "~"
    if name == TEXT and n_text < n:
        seconds, mark = seconds * n / n_text, "~"
    return seconds, of["MB"], mark


def show(every: dict[int, Found], n_text: int) -> None:
    names = list(dict.fromkeys(name for found in every.values() for name in found if not name.startswith("(")))
    print("\n" + " " * 26 + "".join(f"{n:>30,}" for n in every))
    print(" " * 26 + "".join(f"{'s':>12}{'ratio':>8}{'own MB':>10}" for _ in every))
    for name in names:
        line, before = f"{name:26}", 0.0
        for n, found in every.items():
            seconds, most, mark = row(name, found, n, n_text or n)
            ratio = f"{seconds / before:8.1f}" if before > 0 else " " * 8
            line, before = line + f"{mark + format(seconds, ',.2f'):>12}{ratio}{most:>10,.0f}", seconds
        print(line)
    sizes = "".join(f"{found['(published)']['n'] / 1e6:>30,.1f}" for found in every.values())
    print(f"{'published file, MB':26}{sizes}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--rank", type=float, default=2.0, help="size of the gradient index")
    parser.add_argument("--pass", dest="passed", type=int, help="documents that go through the model; left out: all")
    parser.add_argument("--text", type=int, help="documents of the text index; left out: all")
    parser.add_argument("--threads", type=int, default=2, help="of the process that asks; with 1, seconds of work")
    parser.add_argument("--folder", type=Path, help="keeps the builds; otherwise they are removed")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--again", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.build is not None:
        build(given.build, given.passed, given.text, given.again)
        return
    with tempfile.TemporaryDirectory() as scratch:
        home = (given.folder or Path(scratch)).resolve()
        show({n: measured(home / f"{MODEL}-{n}", n, given) for n in sorted(given.documents)}, given.text)


if __name__ == "__main__":
    main()
