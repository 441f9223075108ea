"""Influence with EK-FAC curvature at the final weights: what every build with influence stores, and traces with."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from indexer.config.estimator import Estimator, Numbers, always, once

if TYPE_CHECKING:
    from indexer.evaluate.scoring.given import Given

NAME = "ekfac"


def predict(given: "Given") -> Iterator[tuple[str, Numbers]]:
    """Besides, at other dampings and, where it is compared, with the embedding in an eigenbasis."""
    for name, scored in given.gradients[-1].items():
        if name.partition(", ")[0] == NAME:
            yield name, scored.total
    for name in given.curvatures(NAME):
        yield from given.parts(name, given.gradients[-1][name])
        yield from given.normalised(name, given.gradients[-1][name])


RECORD = Estimator(
    name=NAME,
    label="EK-FAC",
    note="influence at the final weights, with EK-FAC curvature",
    cost="the influence stage",
    order=1,
    score=None,
    predict=predict,
    passes=once,
    applies=always,
    positions=True,
    normalised=True,
)
