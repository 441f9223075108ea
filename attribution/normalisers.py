"""Normalisers: what an influence is divided by before documents are ranked. All are computed from stored numbers.

| name              | divisor            | source                                                       |
| none              | 1                  |                                                              |
| grad_norm         | ‖∇L‖               |                                                              |
| grad_norm_squared | ‖∇L‖²              | after Basu et al. 2021 (arXiv 2006.14651)                    |
| relatif_l         | √self-influence    | RelatIF-ℓ, Barshan et al. 2020 (arXiv 2003.11630)            |
| relatif_theta     | ‖(1/N) H⁻¹ ∇L‖     | RelatIF-θ, the same                                          |
| cosine            | √(self-influence of the document · of the query): the angle in the metric of H⁻¹     |

For one query, `cosine` and `relatif_l` rank alike; between queries only `cosine` has a common scale.

A document without gradient has influence 0, exactly: seeing it again moves no weight. Divided by its norm that is
0 / 0, so its normalised score is undefined: NaN, not zero. Whoever needs a number says which and why.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput

Numbers = NDArray[np.floating[Any]]
Array = TypeVar("Array", NDArray[np.float32], NDArray[np.float64])


@dataclass(frozen=True)
class Norms:
    """What the divisors are made of: of D documents, and of Q queries. NaN where one is not known."""

    grad_norm: Numbers  # [D]
    self_influence: Numbers  # [D]
    solve_norm: Numbers  # [D]
    query_self_influence: Numbers  # [Q], or [Q, D]: in the metric of the stage of training that read the document


@dataclass(frozen=True)
class Normaliser:
    """A divisor [Q or 1, D or 1], and how it is read: its label, the unit that it leaves, and what it does."""

    divisor: Callable[[Norms], Numbers]
    label: str
    unit: str
    meaning: str


def _by_pair(of: Numbers) -> Numbers:
    """[Q] -> [Q, 1]; [Q, D] stays"""
    return of.reshape(len(of), -1)


def _root(of: Numbers) -> Numbers:
    return np.sqrt(np.maximum(of, 0.0))  # what rounding leaves of zero may lie below it


NORMALISERS = {
    "none": Normaliser(
        lambda norms: np.ones((1, 1), dtype=np.float32),
        "As it is",
        "nats",
        "The influence itself: what one more look at the document would do, to the first order.",
    ),
    "grad_norm": Normaliser(
        lambda norms: norms.grad_norm[None],
        "÷ gradient",
        "nats / ‖∇L‖",
        "Divided by the length of the document's gradient: long or badly learned documents lead no more by size alone.",
    ),
    "grad_norm_squared": Normaliser(
        lambda norms: norms.grad_norm[None] ** 2,
        "÷ gradient²",
        "nats / ‖∇L‖²",
        "Divided by the squared length of the document's gradient: favours short and well learned documents strongly.",
    ),
    "relatif_l": Normaliser(
        lambda norms: _root(norms.self_influence)[None],
        "÷ own influence",
        "nats / √self",
        "RelatIF-ℓ: divided by the root of its influence on itself: what helps most for the fit that it costs.",
    ),
    "relatif_theta": Normaliser(
        lambda norms: norms.solve_norm[None],
        "÷ shift of weights",
        "nats / ‖H⁻¹∇L‖",
        "RelatIF-θ: divided by how far the document moves the weights: what helps most for the change that it makes.",
    ),
    "cosine": Normaliser(
        lambda norms: _root(_by_pair(norms.query_self_influence) * norms.self_influence[None]),
        "Cosine",
        "cosine",
        "Angle between the document and the token in whitened gradient space, from −1 to 1: direction only, no size.",
    ),
}


def normalise(scores: Array, norms: Norms, name: str) -> Array:
    """Scores divided by the named normaliser; NaN where the divisor is not known or not positive.

    scores: [Q, D] or, by layer, [Q, D, L]. Raises BadInput for a name that is none of `NORMALISERS`.
    """
    if name not in NORMALISERS:
        raise BadInput(f"expected a normaliser out of {', '.join(NORMALISERS)}, found {name!r}")
    divisor = NORMALISERS[name].divisor(norms)  # [Q or 1, D or 1]
    divisor = divisor.reshape(*divisor.shape, *[1] * (scores.ndim - 2))
    return np.divide(scores, divisor, out=np.full_like(scores, np.nan), where=divisor > 0)
