"""Influence of whole groups on any queries: exact where the gradients of the groups were kept, else estimated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.groups.estimated import estimated_sums
from attribution.groups.products import cell_products
from attribution.influence import influence
from attribution.query.directions import Directions
from indexer.groups.cells import Group
from indexer.groups.grouped import Grouped, GroupedStage

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Estimates:
    """What the gradient index says of Q queries, as far as groups need it."""

    by_cell: tuple[Numbers, ...]  # of each stage, sums over the documents of a cell, nats  # [Q, C]
    documents: NDArray[np.int64]  # [R] the null sample, indices into the corpus
    of_sample: Numbers  # [Q, R] nats


@dataclass(frozen=True)
class Sample:
    """What estimated groups rest on: needed only where gradients of groups are not kept."""

    estimates: Estimates
    exact: NDArray[np.float32]  # [Q, R] scores of the same documents, nats; NaN where one was skipped


@dataclass(frozen=True)
class GroupScores:
    """Influence of G groups on Q queries."""

    groups: tuple[Group, ...]  # [G]
    values: NDArray[np.float32]  # [Q, G] nats
    errors: NDArray[np.float32] | None  # [Q, G] standard errors; None where the values are exact

    def plus(self, after: "GroupScores") -> "GroupScores":
        """These queries, then those."""
        errors = None
        if self.errors is not None and after.errors is not None:
            errors = np.concatenate([self.errors, after.errors])
        return GroupScores(self.groups, np.concatenate([self.values, after.values]), errors)


def estimates(of: Grouped, values: NDArray[np.float32], documents: NDArray[np.int64]) -> Estimates:
    """values: [Q, D] what the index estimates of all documents, nats; one of NaN, which stands in an earlier stage too,
    counts as nothing here   documents: [R] of the null sample"""
    known = np.nan_to_num(values)
    by_cell = []
    for stage in of.stages:
        own = known[:, stage.term.documents.start : stage.term.documents.stop].astype(np.float64)
        sums = np.zeros((len(own), stage.cells.n))
        for q, row in enumerate(own):
            sums[q] = np.bincount(stage.cells.of, weights=row, minlength=stage.cells.n)
        by_cell.append(sums)
    return Estimates(tuple(by_cell), documents, known[:, documents].astype(np.float64))


def group_scores(of: Grouped, directions: Sequence[Directions], sample: Sample | None = None) -> GroupScores:
    """Of any queries: log p of tokens, of spans, of sets.

    directions: of each of `Fitted.terms`, in order, Q queries each   sample: of the same queries, where not `is_exact`
    """
    n = directions[0].n
    values, variances = np.zeros((2, n, len(of.groups)))
    for number, (stage, asked) in enumerate(zip(of.stages, directions, strict=True)):
        members = of.members(stage)  # [C, G]
        if stage.sums is not None:
            values += _exact(stage, asked) @ members
        else:
            if sample is None:
                raise ValueError("expected a sample for groups whose gradients are not kept")
            found, error = _estimated(stage, sample, number, members)
            values += found
            variances += error**2
    exact = of.is_exact
    return GroupScores(of.groups, values.astype(np.float32), None if exact else np.sqrt(variances).astype(np.float32))


def _exact(stage: GroupedStage, asked: Directions) -> Numbers:
    """[Q, C] nats"""
    products = cell_products(stage.term.trained, stage.fitted.preconditioner, asked, stage.sums or [])
    return influence(stage.term.weight * products, stage.term.n_train).cpu().numpy().astype(np.float64)


def _estimated(stage: GroupedStage, sample: Sample, number: int, members: NDArray[np.bool_]) -> tuple[Numbers, Numbers]:
    """[Q, G] nats and their standard errors    number: of the stage"""
    documents, own = sample.estimates.documents, stage.term.documents
    usable = (documents >= own.start) & (documents < own.stop) & np.isfinite(sample.exact).all(axis=0)
    inside = members[stage.cells.of[documents[usable] - own.start]].T  # [G, R]
    totals = sample.estimates.by_cell[number] @ members
    counts = (stage.cells.counts @ members).astype(np.float64)
    exact = sample.exact[:, usable].astype(np.float64)
    return estimated_sums(sample.estimates.of_sample[:, usable], exact, totals, counts, inside)
