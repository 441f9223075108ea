"""EDGE: memory for a corpus, read and rendered as a build does it: `python -m tests.benchmarks corpus`.

A process of its own for each corpus and each way, whose memory is counted from where it stands ready with a tokenizer:

    whole       every document and everything that it became in memory at once
    streamed    a batch at a time into files, then every row asked for once, and all batches planned

    own         what it holds of its own at the highest, looked at a hundred times a second
    VmHWM       the same with the pages of mapped files that it has touched, which the system takes back when it needs
                them
    disk        of what training read, for a token
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transformers import AutoTokenizer

from attribution.loading.specials import choose_specials
from attribution.machine import resident
from attribution.passes.batches import plan_batches
from attribution.trained.document import Training
from attribution.trained.windows import Windows
from indexer.corpus.as_trained import read_document
from indexer.corpus.reader import read_corpus
from indexer.pipeline.shared import document_part
from indexer.size.texts import keep, kept
from tests.benchmarks.varied_corpus import varied

DEMO = Path(__file__).parents[2] / "data" / "demo"
WAYS = ("whole", "streamed")


def highest() -> int:
    """VmHWM of this process, bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith("VmHWM"))


@contextmanager
def watched(found: dict[str, float]) -> Iterator[None]:
    """Bytes above where it began, of its own and with mapped files."""
    done, before, high = threading.Event(), resident(), highest()
    found["own"] = 0.0

    def watch() -> None:
        while not done.wait(0.01):
            found["own"] = max(found["own"], resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
    found["VmHWM"] = highest() - high


def child(folder: Path, way: str) -> dict[str, float]:
    tokenizer = AutoTokenizer.from_pretrained(DEMO / "models" / "atlas-s")
    specials, how = choose_specials(tokenizer), Training(Windows(256))
    few = read_corpus([folder / "few.jsonl"])
    assert [read_document(each, tokenizer, specials, how) for each in few.documents]  # what is loaded once is loaded
    found: dict[str, float] = {}
    started = time.monotonic()
    with watched(found):
        reading = read_corpus([folder / "corpus.jsonl"], near=folder)
        documents = reading.documents
        if way == "whole":
            documents = list(documents)
            read = [read_document(each, tokenizer, specials, how) for each in documents]
            n_tokens, n_batches = sum(len(each.row) for each in read), len(plan_batches([each.row for each in read]))
        else:
            document_part(folder / "build", [reading])
            keep(folder / "build", "0", documents, lambda each: read_document(each, tokenizer, specials, how), print_no)
            texts = kept(folder / "build", "0", documents)
            assert texts is not None
            n_tokens, n_batches = sum(len(row) for row in texts.rows), len(plan_batches(texts.rows))
            files = (folder / "build").rglob("texts.arrow")
            found["disk"] = sum(file.stat().st_size for file in files) / n_tokens
    seconds = time.monotonic() - started
    return found | {"documents": len(documents), "tokens": n_tokens, "batches": n_batches, "seconds": seconds}


def print_no(_n: int) -> None:
    """Nothing is told of progress."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--child", nargs=2, metavar=("FOLDER", "WAY"))
    given = parser.parse_args()
    if given.child:
        print(json.dumps(child(Path(given.child[0]), given.child[1])))
        return
    texts = [json.loads(line)["text"] for line in (DEMO / "corpus.jsonl").open(encoding="utf-8")]
    print(f"{'documents':>10}{'tokens':>12}  {'':9}{'own MB':>8}{'VmHWM MB':>10}{'B/token':>9}{'disk':>6}{'s':>7}")
    for n in given.documents:
        with tempfile.TemporaryDirectory() as folder:
            for name, some in (("few", texts[:200]), ("corpus", varied(texts, n))):
                lines = (json.dumps({"text": text}) + "\n" for text in some)
                (Path(folder) / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
            for way in WAYS:
                command = [sys.executable, "-m", "tests.benchmarks.bench_corpus", "--child", folder, way]
                found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                print(
                    f"{found['documents']:>10,}{found['tokens']:>12,}  {way:9}{found['own'] / 1e6:>8.1f}"
                    f"{found['VmHWM'] / 1e6:>10.1f}{found['own'] / found['tokens']:>9.1f}"
                    f"{found.get('disk', 0.0):>6.1f}{found['seconds']:>7.1f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
