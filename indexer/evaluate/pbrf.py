"""EDGE: influence against the proximal Bregman response, on a tiny sibling where optimisation can find it."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.factors import Factors
from attribution.pbrf import responses
from attribution.preconditioner import Preconditioner, damp, no_curvature
from attribution.tracked import Tracked, track
from indexer.build.factors import fit
from indexer.build.member import Member
from indexer.config import Recipe
from indexer.evaluate.asked import of_document
from indexer.evaluate.figures import Figure, figure
from indexer.evaluate.halves import chosen
from indexer.evaluate.predictions import scored
from indexer.evaluate.published import measured
from indexer.evaluate.rank_correlation import pearson
from indexer.evaluate.scale import Scale
from indexer.evaluate.sibling import sibling
from indexer.journal import key
from indexer.progress import Reporter

N_DOCUMENTS, N_UPWEIGHTED, N_QUERIES = 40, 10, 4
SHARE = 0.05  # of once more: small enough for a linear response
STEPS = 60  # of L-BFGS


def tiny(recipe: Recipe) -> Recipe:
    """The smallest model that still has every kind of layer."""
    return replace(recipe, hidden=16, layers=1, feed_forward=32, heads=2, epochs=60, keep=(1.0,), bf16=False)


def measure_pbrf(folder: Path, of: Member, recipe: Recipe, scale: Scale, report: Reporter) -> None:
    """Correlation over documents, mean over queries, of influence and of gradient products with the response."""
    picked = [of.documents[i] for i in chosen(len(of.documents), N_DOCUMENTS, scale.seed)]
    small = tiny(recipe)
    with report.task(f"{of.entry.name}: a tiny sibling and its responses", small.epochs * len(picked)) as task:
        member = sibling(folder, "tiny", of, small, picked, task.tick)
        fitted = fit(folder, member)
        damping = 0.1 * mean_eigenvalue(fitted.factors)
        wanted = {"ekfac": damp(fitted.factors, absolute=damping), "gradient_dot": no_curvature(member.tracked)}
        made_of = key(run=fitted.run, numbers=[N_DOCUMENTS, N_UPWEIGHTED, N_QUERIES, SHARE, STEPS])
        model_id = of.loaded.weights_hash
        measured(folder, "pbrf", of.entry.name, model_id, made_of, _measure(member, wanted, damping))


def _measure(member: Member, wanted: Mapping[str, Preconditioner], damping: float) -> Callable[[], list[Figure]]:
    def measure() -> list[Figure]:
        n = min(N_UPWEIGHTED, len(member.rows))
        queries = range(min(N_QUERIES, n))
        asked = [of_document(member, q) for q in queries]
        truth = responses(
            in_float64(member.tracked), member.rows, range(n), [member.rows[q] for q in queries], damping, SHARE, STEPS
        ).numpy()  # [Q, U]
        how = (
            f"{len(queries)} queries × {n} documents of a model of {member.loaded.n_params:,} parameters, trained on "
            f"{len(member.rows)} documents; λ = {damping:.3g} in every block"
        )
        predicted = scored(member, wanted, asked, lambda n: None)
        return [figure(name, "pbrf", correlations(of[:, :n].sum(axis=2), truth), how) for name, of in predicted.items()]

    return measure


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
