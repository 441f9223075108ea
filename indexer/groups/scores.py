"""Influence of whole groups on any queries: exact where the gradients of the groups were kept, else estimated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.query.directions import Directions


@dataclass(frozen=True)
class Group:
    """All documents of a corpus with one value of a column; column and value "" are the whole corpus."""

    corpus: str
    column: str
    value: str
    n_documents: int


@dataclass(frozen=True)
class Sample:
    """What estimated groups rest on, of Q queries: needed only where gradients of groups are not kept."""

    estimates: NDArray[np.float32]  # [Q, D] of the gradient index, of all documents, nats; NaN for none
    documents: NDArray[np.int64]  # [R] the null sample, indices into the corpus
    exact: NDArray[np.float32]  # [Q, R] its scores, nats


@dataclass(frozen=True)
class GroupScores:
    """Influence of G groups on Q queries."""

    groups: tuple[Group, ...]  # [G]
    values: NDArray[np.float32]  # [Q, G] nats
    errors: NDArray[np.float32] | None  # [Q, G] standard errors; None where the values are exact


class Grouped:
    """The groups of every stage of a size's training, opened (`indexer.groups.grouped`): `Opened.groups` of `ask`,
    None where a build has none."""

    groups: tuple[Group, ...]
    is_exact: bool  # whether gradients of groups were kept; else `group_scores` needs a sample


def group_scores(of: Grouped, directions: Sequence[Directions], sample: Sample | None = None) -> GroupScores:
    """Of any queries: log p of tokens, of spans, of sets.

    directions: of each of `Fitted.terms`, in order, Q queries each   sample: of the same queries, where not `is_exact`
    """
    raise NotImplementedError
