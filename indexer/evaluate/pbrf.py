"""EDGE: influence against the proximal Bregman response, on a tiny sibling where optimisation can find it."""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import damp, no_curvature
from attribution.curvature.factors import Factors
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row
from attribution.rank_correlation import pearson
from attribution.truth.pbrf import responses
from indexer.config.config import Config, Model, Recipe
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import of_document
from indexer.evaluate.protocol.scale import Scale
from indexer.evaluate.scoring.gradient_scores import scored
from indexer.evaluate.siblings.halves import chosen
from indexer.evaluate.siblings.sibling import sibling
from indexer.evaluate.statistics.figures import Figure, figure
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.processes.progress import Reporter
from indexer.processes.side_by_side import side_by_side
from indexer.size.factors import fit
from indexer.size.member import Member, open_member

N_DOCUMENTS, N_QUERIES = 40, 4
SHARE = 0.05  # of once more: small enough for a linear response
STEPS = 60  # of L-BFGS


def tiny(recipe: Recipe) -> Recipe:
    """The smallest model that still has every kind of layer."""
    return replace(recipe, hidden=16, layers=1, feed_forward=32, heads=2, epochs=60, keep=(1.0,), bf16=False)


@dataclass(frozen=True)
class Upweighted:
    """One document that is seen a little more often, and all that its response depends on."""

    entry: Model
    config: Config
    base: str  # hash of its weights, documents and settings
    document: int
    queries: tuple[int, ...]
    damping: float
    steps: int
    share: float = SHARE

    @property
    def key(self) -> str:
        """Hash of all that the response depends on."""
        return key(base=self.base, queries=self.queries, damping=self.damping, steps=self.steps, share=self.share)


def measure_pbrf(folder: Path, of: Member, recipe: Recipe, scale: Scale, n_processes: int, report: Reporter) -> None:
    """Correlation over documents, mean over queries, of influence and of gradient products with the response."""
    picked = [of.documents[i] for i in chosen(len(of.documents), N_DOCUMENTS, scale.seed)]
    small = tiny(recipe)
    with report.task(f"{of.entry.name}: a tiny sibling", small.epochs * len(picked)) as task:
        member = sibling(folder, "tiny", of, small, picked, task.tick)
        fitted = fit(folder, member)
    n = min(scale.upweighted, len(member.rows))
    queries = tuple(range(min(N_QUERIES, n)))
    damping = 0.1 * mean_eigenvalue(fitted.factors)
    moved = [Upweighted(member.entry, member.config, member.base_key, i, queries, damping, STEPS) for i in range(n)]
    with report.task(f"{member.entry.name}: proximal Bregman responses", n) as task:
        side_by_side(partial(_respond, folder), moved, n_processes, task.tick)

    def measure() -> list[Figure]:
        asked = [of_document(member, q) for q in queries]
        ekfac = damp(fitted.factors, absolute=damping)
        wanted = {"ekfac": ekfac, "gradient_dot": no_curvature(member.tracked, ekfac)}
        predicted = scored(member, wanted, asked, slice(n))
        truth = np.concatenate([response(folder, each) for each in moved], axis=1)  # [Q, U]
        how = (
            f"{len(queries)} queries × {n} documents of a model of {member.loaded.n_params:,} parameters, trained on "
            f"{len(member.rows)} documents; λ = {damping:.3g} in every block"
        )
        return [figure(name, "pbrf", correlations(of.total, truth), how) for name, of in predicted.items()]

    made_of = key(run=fitted.run, moved=[each.key for each in moved])
    measured_at(scale, folder, "pbrf", of, made_of, measure, recipe)


def _respond(folder: Path, of: Upweighted) -> None:
    response(folder, of)


def response(folder: Path, of: Upweighted) -> NDArray[np.float64]:
    """Of every query to this document, found by optimisation if need be  # [Q, 1] nats"""

    def compute(part: Partition) -> None:
        member = open_member(of.entry, of.config)
        asked = [of_document(member, q) for q in of.queries]
        queries = [Row(each.ids, first_target=each.first) for each in asked]
        tracked = in_float64(member.tracked)
        found = responses(tracked, member.rows, [of.document], queries, of.damping, of.share, of.steps)
        np.save(part.folder / "response.npy", found.numpy())

    [part] = stage(folder, "pbrf-responses", of.key, [of.document], compute)
    found: NDArray[np.float64] = np.load(part.folder / "response.npy")
    return found


def correlations(predicted: NDArray[np.floating], truth: NDArray[np.floating]) -> Sequence[float]:
    """Pearson's r over the documents, of each query    [Q, U] both"""
    return [pearson(a, b) for a, b in zip(predicted, truth, strict=True)]


def mean_eigenvalue(factors: Factors) -> float:
    """Over all parameters of all blocks: the response knows one λ only."""
    blocks = [*(basis.lam for basis in factors.linear), *factors.embedding]
    return float(sum(block.double().sum() for block in blocks)) / sum(block.numel() for block in blocks)


def in_float64(tracked: Tracked) -> Tracked:
    """A copy in double precision: the response is a small difference."""
    loaded = replace(tracked.loaded, model=copy.deepcopy(tracked.loaded.model).double())
    return track(loaded, [layer.name for layer in tracked.linear], bool(tracked.embedding))
