"""EDGE: a corpus of any size, as long-winded as the demo's: its documents, then the same with other words in them.

    python -m tests.benchmarks.varied_corpus 1000000 corpus.jsonl

writes one, a line at a time: what is held does not grow with it but by 8 bytes a document, to make none twice.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from indexer.corpus.document import document_id
from indexer.mapped.seen import Seen

DEMO = Path(__file__).parents[2] / "data" / "demo" / "corpus.jsonl"
WORD = 4  # letters that a word has at least, to be replaced
SHARE = 0.4  # of these that are


def varied(texts: Sequence[str], n: int, seed: int = 0) -> Iterator[str]:
    """n different texts, each when it is asked for; the first are those that are given, every other one is a variant of
    one of them."""
    rng, made, n_made = random.Random(seed), Seen(), 0
    pool = [word for text in texts for word in text.split() if len(word) >= WORD]

    def new(text: str) -> bool:
        return made.add(int(document_id(text), 16))

    for text in texts[:n]:
        if new(text):
            n_made += 1
            yield text
    while n_made < n:
        words = texts[n_made % len(texts)].split()
        replaced = (rng.choice(pool) if len(word) >= WORD and rng.random() < SHARE else word for word in words)
        for _ in range(2):
            text = " ".join(replaced)
            if n_made < n and new(text):
                n_made += 1
                yield text
            if n_made % len(texts):  # else: texts that are too short to be varied do not stop it
                break
            replaced = iter(rng.sample(pool, 12))


def of_demo(n: int, seed: int = 0) -> Iterator[str]:
    """n lines of a corpus file, from the documents of the demo; a variant keeps source and topic of its document."""
    rows = [json.loads(line) for line in DEMO.open(encoding="utf-8")]
    for i, text in enumerate(varied([row["text"] for row in rows], n, seed)):
        of = rows[i % len(rows)]
        yield json.dumps({"text": text, "source": of["source"], "topic": of["topic"]}) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("documents", type=int)
    parser.add_argument("file", type=Path)
    given = parser.parse_args()
    with given.file.open("w", encoding="utf-8") as file:
        file.writelines(of_demo(given.documents))


if __name__ == "__main__":
    sys.exit(main())
