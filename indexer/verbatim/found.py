"""The longest spans of an answer that stand in the training texts, and where.

A span is a longest one where no longer one around it stands there, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from indexer.config.verbatim import Verbatim
from indexer.size.member import Member
from indexer.verbatim.arrays import SuffixArray, kept

Numbers = NDArray[np.int64]
NOWHERE: Numbers = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Copied:
    """Tokens `first` … `last` of an answer, both included."""

    first: int
    last: int
    n_places: int
    n_documents: int
    places: tuple[tuple[int, int], ...]  # (index of the document, its token where the span begins), in corpus order


@dataclass(frozen=True)
class Words:
    """The arrays of all stages of a model's training."""

    member: Member
    arrays: tuple[tuple[int, SuffixArray], ...]  # with the index of the first document of the array's stage

    @cached_property
    def _repeats(self) -> bool:
        """Whether a document may stand in two stages."""
        return self.member.n_stages > 1

    def of(self, ids: Sequence[int], preferred: Numbers = NOWHERE) -> list[Copied]:
        """The spans of an answer, in order.    preferred: documents of which a place is kept in any case"""
        settings: Verbatim = self.member.config.verbatim
        asked = np.asarray(ids, dtype=np.int64) + 1
        longest = np.zeros(len(asked), dtype=np.int64)
        for _, array in self.arrays:
            longest = np.maximum(longest, array.suffixes.longest(asked))
        spans = longest_spans(longest, settings.shortest)
        if not spans:
            return []
        by_array = [(first, array, array.suffixes.places(asked, spans)) for first, array in self.arrays]
        found = []
        for n, (first, last) in enumerate(spans):
            where = [(start, array.where(np.sort(of[n]))) for start, array, of in by_array if len(of[n])]
            documents = np.concatenate([start + of for start, (of, _) in where])
            tokens = np.concatenate([of for _, (_, of) in where])
            if self._repeats:
                documents, tokens = self._once(documents, tokens)
            chosen = _chosen(documents, tokens, settings.places, preferred)
            found.append(Copied(first, last, len(documents), len(np.unique(documents)), chosen))
        return found

    def _once(self, documents: Numbers, tokens: Numbers) -> tuple[Numbers, Numbers]:
        """Without the places in documents of later stages that an earlier one has read, too: they count as its own."""
        numbers, index = np.unique(self.member.numbers[documents], return_inverse=True)
        first = np.full(len(numbers), np.iinfo(np.int64).max)
        np.minimum.at(first, index, documents)
        places = np.unique(np.stack([first[index], tokens]), axis=1)
        return places[0], places[1]


def _chosen(documents: Numbers, tokens: Numbers, most: int, preferred: Numbers) -> tuple[tuple[int, int], ...]:
    """The first place in every preferred document; then in other documents, then further places, up to `most`.

    documents, tokens: in corpus order
    """
    _, first = np.unique(documents, return_index=True)
    liked = first[np.isin(documents[first], preferred)]
    others = np.setdiff1d(first, liked)
    again = np.setdiff1d(np.arange(min(len(documents), len(first) + most)), first)
    rest = np.concatenate([others[:most], again[:most]])[: max(0, most - len(liked))]
    at = np.sort(np.concatenate([liked, rest]))
    return tuple(zip(documents[at].tolist(), tokens[at].tolist(), strict=True))


def longest_spans(longest: Numbers, shortest: int) -> list[tuple[int, int]]:
    """(first, last) of the spans of at least `shortest` tokens that no other one holds.    longest: [K], that begin at
    each token; none ends before one that begins earlier does"""
    ends = np.arange(len(longest)) + longest
    before = np.concatenate([[0], ends[:-1]])
    firsts = np.flatnonzero((longest >= shortest) & (ends > before))
    return [(k, int(ends[k]) - 1) for k in firsts.tolist()]


def words_of(folder: Path, member: Member) -> Words | None:
    """What a build has kept of all stages; None where it lacks any, or was not to look."""
    if not member.config.verbatim.enabled:
        return None
    found: list[tuple[int, SuffixArray]] = []
    for of in member.stages:
        arrays = kept(folder, of)
        if arrays is None:
            return None
        found += [(of.own_documents.start, array) for array in arrays]
    return Words(member, tuple(found))
