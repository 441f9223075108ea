"""Invented facts: documents whose every name exists nowhere else, so that exactly one document states each. Pure."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.corpus.document import Document, document_id
from indexer.evaluate.measures.fact_tracing import ranks
from indexer.evaluate.statistics.figures import Figure, figure
from indexer.evaluate.statistics.retrieval import reciprocal, within

ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "dr", "kr", "tr")
VOWELS, CODAS = ("a", "e", "i", "o", "u"), ("", "n", "r", "l", "x")
TEMPLATES = ("The keeper of {} is {}.", "The oldest bridge in {} is {}.", "People in {} worship {}.")


@dataclass(frozen=True)
class Planted:
    """A document, and the prompt and answer that it alone states."""

    document: Document
    prompt: str
    answer: str


def invented(n: int, seed: int) -> list[Planted]:
    """n facts in three forms of sentence, every name another."""
    generator = random.Random(f"planted/{seed}")  # noqa: S311 - names, not secrets
    names = list(dict.fromkeys(_name(generator) for _ in range(20 * n)))[: 2 * n]
    found = []
    for i in range(n):
        subject, answer = names[2 * i : 2 * i + 2]
        text = TEMPLATES[i % len(TEMPLATES)].format(subject, answer)
        prompt = text[: text.index(f" {answer}.")]
        found.append(Planted(Document(document_id(text), "corpus", subject, "invented", "", text), prompt, answer))
    return found


def planted_figures(by_method: Mapping[str, NDArray[np.floating]], places: Sequence[int], how: str) -> list[Figure]:
    """places: the index of the document of each query."""
    figures = []
    for method, scores in by_method.items():
        found = ranks(scores, [[place] for place in places])
        figures += [figure(method, f"planted@{k}", within(found, k), how) for k in (1, 3)]
        figures.append(figure(method, "planted_mrr", reciprocal(found), how))
    return figures


def _name(generator: random.Random) -> str:
    syllable = [generator.choice(ONSETS) + generator.choice(VOWELS) + generator.choice(CODAS) for _ in range(3)]
    return "".join(syllable).capitalize()
