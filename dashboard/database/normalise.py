"""Normalisers: the same influence, divided by something that makes documents comparable.

    none        I(z)                                   nats, as in the design
    gradient    I(z) / ‖∇L(z)‖
    gradient²   I(z) / ‖∇L(z)‖²                        the article's choice
    relatif-l   I(z) / √(self-influence of z)          Barshan et al. 2020, loss constrained
    relatif-t   I(z) / ‖H⁻¹∇L(z)‖                      Barshan et al. 2020, parameters constrained
    cosine      I(z) / √(self-influence of z · self-influence of the token)

A document without the number that a normaliser needs has no normalised influence (NaN): it is unknown, not zero.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Normaliser:
    label: str
    unit: str
    meaning: str


NORMALISERS = {
    "none": Normaliser(
        "As it is",
        "nats",
        "Predicted change of the token's log-probability if the document were seen once more in training.",
    ),
    "gradient": Normaliser(
        "÷ gradient",
        "nats / ‖∇L‖",
        "Divided by the length of the document's gradient: long or badly learned documents lead no more by size alone.",
    ),
    "gradient2": Normaliser(
        "÷ gradient²",
        "nats / ‖∇L‖²",
        "Divided by the squared length of the document's gradient: favours short and well learned documents strongly.",
    ),
    "relatif-l": Normaliser(
        "RelatIF-ℓ",
        "nats / √self",
        "Divided by the root of the document's influence on itself: what helps most for the fit that it costs.",
    ),
    "relatif-t": Normaliser(
        "RelatIF-θ",
        "nats / ‖H⁻¹∇L‖",
        "Divided by how far the document moves the weights: which document helps most for the change that it makes.",
    ),
    "cosine": Normaliser(
        "Cosine",
        "cosine",
        "Angle between the document and the token in whitened gradient space, from −1 to 1: direction only, no size.",
    ),
}


def normalise(
    name: str,
    score: Floats,  # [N] nats
    self_influence: Floats,  # [N]
    grad_norm: Floats,  # [N]
    solve_norm: Floats,  # [N]
    query_self_influence: float = float("nan"),
) -> Floats:
    """Normalised influence [N]; NaN where the divisor is missing or not positive. KeyError for an unknown name."""
    divisor = {
        "none": np.ones_like(score),
        "gradient": grad_norm,
        "gradient2": grad_norm**2,
        "relatif-l": np.sqrt(np.maximum(self_influence, 0.0)),
        "relatif-t": solve_norm,
        "cosine": np.sqrt(np.maximum(self_influence * query_self_influence, 0.0)),
    }[name]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(divisor > 0, score / divisor, np.nan)
