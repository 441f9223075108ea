"""The sentences of a prompt's documents as sources of ContextCite, each inside its document.

A mask of sentences [M, S] says which of them stay. A document's label is nobody's sentence: it stays while any sentence
of its document does, so that a mask which takes all of them is the one that takes the document.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.prompt.context.contextcite import N_MASKS, Masks, half_masks, single_masks, sources
from attribution.prompt.text.parts import Part
from attribution.prompt.text.sentences import DocumentSentence

HALF, SINGLE = "sentences_half", "sentences_single"  # designs: ContextCite's, and all, then all but one
MOST_SINGLE = 64  # sentences that are left out one by one


@dataclass(frozen=True)
class Nested:
    """S sentences of D documents, in reading order."""

    document: tuple[int, ...]  # [S] the document of each, from 0
    of_token: tuple[int, ...]  # [P] of each prompt token: its sentence, or S + d for a label of document d; -1 stays

    @property
    def several(self) -> bool:
        """Whether any document has more than one."""
        return len(set(self.document)) < len(self.document)

    def with_labels(self, masks: Masks) -> Masks:
        """[M, S] -> [M, S + D], what `of_token` counts."""
        labels = [masks[:, np.array(self.document) == d].any(1) for d in range(len(set(self.document)))]
        return np.column_stack([masks, *labels])

    def of_documents(self, masks: Masks) -> Masks:
        """Masks of documents [M, D] as masks of their sentences [M, S]."""
        return masks[:, list(self.document)]


def nested(
    spans: Sequence[tuple[int, int]],
    of_token: Sequence[int],
    parts: Sequence[Part],
    sentences: Sequence[DocumentSentence],
    text: str,
) -> Nested:
    """The sentences of `document_sentences` as sources of a prompt's tokens (their characters: `spans`).

    A token belongs where its first character stands that is no white space, as it does to its part.
    """
    documents = {part: d for d, part in enumerate(dict.fromkeys(each.part for each in sentences))}
    ends: dict[int, list[tuple[int, int]]] = {part: [] for part in documents}  # by document: (end, sentence)
    for number, each in enumerate(sentences):
        ends[each.part].append((each.stop, number))
    inside: list[int] = []
    for (start, stop), part, d in zip(spans, of_token, sources(of_token, parts), strict=True):
        first = stop - len(text[start:stop].lstrip()) if text[start:stop].strip() else start
        own = next((number for end, number in ends.get(part, ()) if first < end), len(sentences) + d)
        inside.append(own if d >= 0 else -1)
    return Nested(tuple(documents[each.part] for each in sentences), tuple(inside))


def designs(n: int, n_masks: int = N_MASKS) -> dict[str, Masks]:
    """The masks [M, n] that n sentences are left out by."""
    made = {HALF: half_masks(n, n_masks)}
    if n <= MOST_SINGLE:
        made[SINGLE] = single_masks(n)
    return made
