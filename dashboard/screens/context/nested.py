"""The sentences of each document of a prompt, with the share of an answer that it owes to them. No widget here.

share of a sentence    what the answer loses without it by ContextCite, of the sum over all sentences of all documents;
                       one that made the answer less likely has no share
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from attribution.prompt.stored import DocumentSentence
from dashboard.screens.context.citing import Floats

METHOD = "contextcite"


@dataclass(frozen=True)
class Source:
    """A sentence of a document: characters [start, stop) of the prompt without white space at the ends; nats by
    method."""

    start: int
    stop: int
    share: float
    nats: dict[str, float]


def sources_of(
    prompt: str, sentences: Sequence[DocumentSentence], owed: Mapping[str, Floats]
) -> dict[int, list[Source]]:
    """part -> its sentences in reading order; {} where nothing was measured.    owed: method -> [S] nats."""
    if METHOD not in owed:
        return {}
    positive = np.maximum(owed[METHOD], 0.0)
    shares = positive / (positive.sum() or 1.0)
    found: dict[int, list[Source]] = {}
    for number, (each, share) in enumerate(zip(sentences, shares.tolist(), strict=True)):
        text = prompt[each.start : each.stop]
        start, stop = each.stop - len(text.lstrip()), each.start + len(text.rstrip())
        nats = {method: float(values[number]) for method, values in owed.items()}
        found.setdefault(each.part, []).append(Source(start, max(start, stop), share, nats))
    return found
