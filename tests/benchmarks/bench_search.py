"""EDGE: both engines of the text index, by the size of the corpus: `python -m tests.benchmarks search`.

The demo's documents, then variants of them, none twice. Each engine writes and reads in a process of its own:

    written     seconds to index all of them, and documents a second
    size        MB on disk; memory: private MiB that writing takes
    opened      seconds, hashes of all files included
    candidates  ms of the 100 best documents for a prompt with its answer, as a build asks; median and slowest
    a page      ms of the first page of what a reader types, counted, with a filter and a phrase among them

and how many of the 100 best documents of one engine are among those of the other: Whoosh leaves out common words above
100,000 postings, tantivy does not.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from indexer.config.text_engine import TANTIVY, WHOOSH
from indexer.corpus.document import Document, document_id
from indexer.journal.files import folder_hashes
from indexer.search.text_index import TextIndex, write_text_index
from tests.benchmarks.own_memory import watched
from tests.benchmarks.varied_corpus import varied

DEMO = Path(__file__).parents[2] / "data" / "demo"
CANDIDATES = 100


def documents(n: int) -> Iterator[Document]:
    texts = [json.loads(line)["text"] for line in (DEMO / "corpus.jsonl").open()]
    for i, text in enumerate(varied(texts, n)):
        yield Document(document_id(text), "varied", "", f"source {i % 7}", "", text)


def prompts(n: int = 40) -> list[str]:
    """Prompts of the demo, with some words more, as if they had been answered."""
    asked = [json.loads(line) for line in (DEMO / "prompts.jsonl").open()]
    return [f"{each.get('prompt') or each.get('question')} {each.get('answer') or ''}" for each in asked][:n]


def typed(n: int = 40) -> list[dict[str, str]]:
    """What a reader might look for."""
    said = [prompt.split() for prompt in prompts(n)]
    return [
        {"text": f'"{" ".join(words[:2])}"' if i % 4 == 1 else " ".join(words[-3:])}
        | ({"source": "source 3"} if i % 4 == 2 else {})
        for i, words in enumerate(said)
    ]


def write(engine: str, n: int, folder: Path) -> dict[str, Any]:
    made = list(documents(n))
    started = time.monotonic()
    with watched(every=0.1) as memory:
        write_text_index(made, folder, engine)
    seconds = time.monotonic() - started
    size = sum(path.stat().st_size for path in folder.iterdir())
    return {"written": seconds, "size": size, "memory": (memory.peak - memory.before) / 2**20}


def read(folder: Path) -> dict[str, Any]:
    started = time.monotonic()
    index = TextIndex.open(folder, folder_hashes(folder))
    opened = time.monotonic() - started
    found: dict[str, Any] = {"opened": opened, "best": []}
    for name, asked, ask in (
        ("candidates", prompts(), lambda text: index.search(text, CANDIDATES)),
        ("page", typed(), lambda given: index.find(**given)),
    ):
        times = []
        for each in asked:
            started = time.monotonic()
            hits = ask(each)
            times.append(1000 * (time.monotonic() - started))
            if name == "candidates":
                found["best"].append([hit.document_id for hit in hits])
        found[name] = statistics.median(times), max(times)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--documents", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--engines", nargs="+", default=[WHOOSH, TANTIVY], choices=[WHOOSH, TANTIVY])
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        engine, n, folder = given.measure
        print(json.dumps(write(engine, int(n), Path(folder)) if engine != "read" else read(Path(folder))))
        return 0
    print("  documents  engine   written   a second       MB  memory  opened    candidates        a page  (s, MiB, ms)")
    for n in given.documents:
        best = {}
        for engine in given.engines:
            with tempfile.TemporaryDirectory() as folder:
                found = _measured(engine, n, folder) | _measured("read", n, folder)
            best[engine] = found["best"]
            print(
                f"  {n:9,}  {engine:7}  {found['written']:7.1f}  {n / found['written']:9,.0f}"
                f"  {found['size'] / 1e6:7.1f}  {found['memory']:6,.0f}  {found['opened']:6.2f}"
                + "".join(f"  {found[name][0]:5.1f} {found[name][1]:6.1f}" for name in ("candidates", "page")),
                flush=True,
            )
        if len(best) == 2:
            pairs = list(zip(*best.values(), strict=True))
            same = sum(len({*a} & {*b}) for a, b in pairs) / max(1, sum(len(a) for a, _ in pairs))
            print(f"  {same:.0%} of the {CANDIDATES} best documents of a prompt are the same")
    return 0


def _measured(what: str, n: int, folder: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.bench_search", "--measure", what, str(n), folder]
    made = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, Any] = json.loads(made.stdout)
    return found


if __name__ == "__main__":
    sys.exit(main())
