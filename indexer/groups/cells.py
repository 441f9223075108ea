"""Documents of one stage of training by what they have in the columns that groups are made of: pure.

A cell holds the documents that have the same in all of these columns; a group is a sum of cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from indexer.corpus.corpus import Corpus, Labels

WHOLE = ""  # the column of the group that is a whole corpus
MOST = 1000  # values of a column


@dataclass(frozen=True)
class Group:
    """All documents of a corpus with one value of a column; column and value "" are the whole corpus."""

    corpus: str
    column: str
    value: str
    n_documents: int


@dataclass(frozen=True)
class Cells:
    """D documents in C cells, which make up G groups."""

    of: NDArray[np.int64]  # [D] cell of every document
    groups: tuple[Group, ...]  # [G]
    members: NDArray[np.bool_]  # [C, G] whether a cell belongs to a group

    @property
    def n(self) -> int:
        """C"""
        return len(self.members)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Documents of every cell  # [C]"""
        return np.bincount(self.of, minlength=self.n)


def cells(corpus: Corpus, by: Sequence[str]) -> Cells:
    """Of the columns `by`. What has nothing in one of them is a group, too: its value is "".

    Raises BadInput for a column of more than `MOST` values.
    """
    files = corpus.labels("corpus")
    labels = {column: corpus.labels(column) for column in dict.fromkeys(by)}
    for column, of in labels.items():
        check(column, of)
    codes = np.stack([files.of, *(of.of for of in labels.values())], axis=1)  # [D, 1 + columns]
    tuples, cell_of = np.unique(codes, axis=0, return_inverse=True)  # [C, 1 + columns]
    counts = np.bincount(cell_of.ravel(), minlength=len(tuples))
    groups: list[Group] = []
    members: list[NDArray[np.bool_]] = []

    def add(corpus_name: str, column: str, value: str, mine: NDArray[np.bool_]) -> None:
        groups.append(Group(corpus_name, column, value, int(counts[mine].sum())))
        members.append(mine)

    for file, name in sorted(enumerate(files.values), key=lambda each: each[1]):
        inside = tuples[:, 0] == file
        add(name, WHOLE, "", inside)
        for c, (column, of) in enumerate(labels.items(), start=1):
            there = {of.values[code]: code for code in np.unique(tuples[inside, c]).tolist()}
            for value, code in sorted(there.items()):
                add(name, column, value, inside & (tuples[:, c] == code))
    return Cells(cell_of.ravel().astype(np.int64), tuple(groups), np.stack(members, axis=1))


def check(column: str, of: Labels) -> None:
    """Raises BadInput for a column that tells nearly every document from every other."""
    if len(of.values) > MOST:
        raise BadInput(
            f"expected at most {MOST:,} values of the column {column!r}, found {len(of.values):,}; "
            "take it out of [groups] by, or make fewer of them"
        )
