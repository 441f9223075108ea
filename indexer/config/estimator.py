"""An estimator's record, and the list of all: names, labels, costs for whoever asks, without torch.

Each lies in a file of its own in `indexer/estimators`. What a record computes with, it imports inside its functions.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from attribution.records import records

if TYPE_CHECKING:
    from attribution.exact.checkpoints import Checkpoint
    from indexer.config.config import ScoreSettings
    from indexer.evaluate.scoring.given import Given
    from indexer.size.fitted import Fitted
    from indexer.size.member import Member
    from indexer.size.terms import Shares
    from indexer.tracing.scoring import Scoring

HOME = "indexer.estimators"
Numbers = NDArray[np.float32]


def never(n_checkpoints: int) -> int:
    """No pass over the candidates."""
    return 0


def once(n_checkpoints: int) -> int:
    """At the final weights."""
    return 1


def everywhere(n_checkpoints: int) -> int:
    """At every kept checkpoint and at the final weights."""
    return n_checkpoints + 1


def at_checkpoints(n_checkpoints: int) -> int:
    """At every kept checkpoint; what belongs to the final weights is there already."""
    return n_checkpoints


def trained_once(member: "Member") -> bool:
    """Gradients of two stages of training are not one product."""
    return member.parent is None


def always(member: "Member") -> bool:
    """For fine-tuned models too."""
    return True


def _anything(member: "Member") -> None:
    """No size lacks what it needs."""


def _nowhere(folder: Path, fitted: "Fitted") -> "list[Checkpoint]":
    return []


def _one(scores: "ScoreSettings") -> float:
    return 1.0


def _nothing(scores: "ScoreSettings") -> dict[str, Any]:
    return {}


def _no_steps(scores: "ScoreSettings") -> int:
    return 0


@dataclass(frozen=True)
class Estimator:
    """One way to say what a training document did for a token; higher pushed more towards it.

    `score(scoring)` gives [K, U, L] (or [K, U, 1] of one without layers) for K tokens and U candidates, and the
    position shares that came along. `predict(given)` gives (name, [Q, D]) for the queries and documents of an
    evaluation; names that go on after ", " are what only an evaluation computes.
    """

    name: str  # in the configuration, in keys, in names of stages and in the database
    label: str  # on pages
    note: str  # what it is, in one line
    cost: str  # of one size, in words
    order: int  # where all are listed
    score: "Callable[[Scoring], tuple[Numbers, Shares]] | None"  # None: the first one, which the influence stage stores
    predict: "Callable[[Given], Iterator[tuple[str, Numbers]]]"
    passes: Callable[[int], int]  # number of checkpoints -> how often the candidates are scored
    fits: Callable[[int], int] = never  # number of checkpoints -> curvatures that are fitted for it
    solves: "Callable[[ScoreSettings], int]" = _no_steps  # documents that each token meets forwards and backwards alone
    applies: "Callable[[Member], bool]" = trained_once
    needs: "Callable[[Member], None]" = _anything  # raises BadInput, before a build, where a size lacks what it takes
    checkpoints: "Callable[[Path, Fitted], list[Checkpoint]]" = _nowhere  # what a sum of gradient products runs over
    linear: "Callable[[ScoreSettings], float]" = _one  # what linear layers count beside the embedding
    settings: "Callable[[ScoreSettings], dict[str, Any]]" = _nothing  # what else its run depends on, by name
    layers: bool = True  # False: one number for a document, none for each layer
    # the shares of a document's positions add up to its score: a sum of products over `checkpoints`, or they come along
    positions: bool = False
    words: bool = False  # linear in the query: the score of a word, or of an answer, is the sum of its tokens' scores
    normalised: bool = False  # evaluation divides it by every normaliser too
    sets: bool = False  # target sets have rows of its run too
    only_named: bool = False  # evaluation leaves it out where `[scores] method` does not name it: it takes long
    nats: bool = True  # linear in the gradient of f: one slope for all queries makes its scores nats
    by_share: bool = True  # scaled by 1/N: in a training on n of N documents one of them does N/n times as much


@cache
def estimators() -> dict[str, Estimator]:
    """Every record by its name; the first is the one that every build with influence stores."""
    return records(HOME, Estimator)


def check_needs(member: "Member") -> None:
    """Raises BadInput where a size lacks what an estimator of the configuration takes: hours before it is missed."""
    for method in member.config.scores.method:
        by = estimators()[method]
        if by.applies(member):
            by.needs(member)


def evaluated(scores: "ScoreSettings") -> dict[str, Estimator]:
    """Those that an evaluation compares."""
    return {name: each for name, each in estimators().items() if not each.only_named or name in scores.method}
