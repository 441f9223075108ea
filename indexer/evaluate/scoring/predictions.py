"""EDGE: what every method says about every document, for the queries of an evaluation; one part, kept for all measures.

Names: a method of `[scores] method`; `, attention only` and the like: a part of the layers; `, λ 0.001`: another
damping; `/ relatif_l`: divided by a normaliser.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from attribution.normalisers import NORMALISERS
from indexer.config.estimator import evaluated
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.scoring.given import PARTS, Evaluated, Given, normalised_methods
from indexer.evaluate.scoring.gradient_scores import TURNED, Numbers, Tick
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.size.checkpoints import seen_rates

# whose predictions were kept before a key named its estimators; those that came later are named
UNNAMED = ("ekfac", "ekfac_checkpoints", "tracin", "gradient_dot", "gradient_cosine", "hidden_cosine", "bm25")


@dataclass(frozen=True)
class Predicted:
    """Scores of all documents, higher is more helpful, and the hash of all that they depend on."""

    by_method: dict[str, Numbers]  # [Q, D] each
    key: str


def predictions(folder: Path, subject: Evaluated, asked: Sequence[Question], what: str, tick: Tick) -> Predicted:
    """Computed if need be; `tick(n)` after n documents of a pass."""
    member, scores = subject.fitted.member, subject.fitted.member.config.scores
    later = {name: each.settings(scores) for name, each in evaluated(scores).items() if name not in UNNAMED}

    def compute(part: Partition) -> None:
        found: dict[str, Any] = dict(by_method(folder, subject, asked, what, part.seed, tick))
        np.savez(part.folder / "scores.npz", **found)

    made_of = key(
        runs=[each.run for each in (subject.fitted, *subject.early)],
        asked=[[each.ids, each.first, each.text] for each in asked],
        weights=(scores.checkpoint_weights, scores.linear_weight) if subject.early else (),
        dampings=subject.dampings,
        turned=subject.turned,
        corpus=member.corpus.hash,
        names=[list(PARTS), list(NORMALISERS), normalised_methods(), TURNED],
        **({"sights": seen_rates(member)} if subject.early else {}),
        **({"later": later} if later else {}),
    )
    [part] = stage(folder, f"predictions-{what}-{member.entry.name}", made_of, ["all"], compute)
    with np.load(part.folder / "scores.npz") as stored:
        return Predicted({name: stored[name] for name in stored.files}, made_of)


def by_method(
    folder: Path, subject: Evaluated, asked: Sequence[Question], what: str, seed: int, tick: Tick
) -> Iterator[tuple[str, Numbers]]:
    """Every estimator's scores of all documents, and a random order to compare with  # [Q, D] each"""
    given = Given(folder, subject, asked, what, tick)
    shape = (len(asked), len(given.member.rows))
    yield "random", np.random.default_rng(seed).random(shape, dtype=np.float32)
    for each in evaluated(given.member.config.scores).values():
        yield from each.predict(given)
