"""The damped Gauss–Newton matrix of all blocks together, by conjugate gradients that EK-FAC preconditions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from indexer.config.estimator import Estimator, Numbers, once

if TYPE_CHECKING:
    from indexer.config.config import ScoreSettings
    from indexer.evaluate.scoring.given import Given
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring


NAME = "ekfac_cg"


def settings(scores: "ScoreSettings") -> "dict[str, Any]":
    """What solutions depend on besides the factors and their damping."""
    return {"cg_steps": scores.cg_steps, "cg_documents": scores.cg_documents}


def solves(scores: "ScoreSettings") -> int:
    """Every step meets every document of the sample."""
    return scores.cg_steps * scores.cg_documents


def score(of: "Scoring") -> "tuple[Numbers, Shares]":
    """The residual of every token is left in the facts of the run."""
    from indexer.solved.candidates import solved_products

    return solved_products(of)


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    from indexer.evaluate.scoring.solved import solved_scores

    yield NAME, solved_scores(given)


RECORD = Estimator(
    name=NAME,
    label="EK-FAC + CG",
    note="influence with the whole damped Gauss–Newton matrix, by conjugate gradients that EK-FAC preconditions",
    cost="an influence stage, and for each token and target set 3.3 passes over `cg_documents` in each of `cg_steps`",
    order=9,
    score=score,
    predict=predict,
    passes=once,
    solves=solves,
    settings=settings,
    positions=True,
    sets=True,
    only_named=True,
)
