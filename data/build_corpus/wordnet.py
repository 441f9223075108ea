"""EDGE: WordNet 3.1 glosses as documents: `lemma, lemma: gloss.`"""

import re
from collections.abc import Iterator
from pathlib import Path

from data.build_corpus.fact import Fact, plain

SUBSTANCE, PERSON = "27", "18"  # lexicographer files, see wninput(5WN)
_SCIENTIST = re.compile(r"\b(chemist|discover(?:ed|er|y)|isolated|alchemist|metallurg\w+)\b")
_EXAMPLE = re.compile(r';?\s*"[^"]*"?')


def facts(package: Path) -> Iterator[Fact]:
    """Every noun.substance synset, and the noun.person synsets of people who discovered or studied substances."""
    for line in (package / "package/dict/data.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):  # the licence header
            continue
        record, _, gloss = line.partition(" | ")
        fields = record.split(" ")
        gloss = _EXAMPLE.sub("", plain(gloss)).strip(" ;")
        if fields[1] == SUBSTANCE:
            yield _document(fields, gloss, "noun.substance")
        elif fields[1] == PERSON and _SCIENTIST.search(gloss):
            yield _document(fields, gloss, "noun.person")


def _document(fields: list[str], gloss: str, topic: str) -> Fact:
    n_words = int(fields[3], 16)
    lemmas = [fields[4 + 2 * i].replace("_", " ") for i in range(n_words)]
    text = f"{', '.join(lemmas)}: {gloss}."
    return Fact(title=lemmas[0], source="WordNet", topic=topic, text=text, subject=lemmas[0], answer=gloss)
