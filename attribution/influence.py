"""The one home of sign and scale.

    influence(z → f) = −(1/N) ∇fᵀ (G + λI)⁻¹ ∇L(z)          nats; positive pushes the model towards f

L(z): summed token loss of document z, nats. N: training documents that have a token to learn, each as often as it
was seen. G: Gauss–Newton matrix of the *mean* loss of these. So it is the predicted change of f if z were seen once
more (Koh and Liang 2017; Grosse et al. 2023, arXiv 2308.03296). kronfluence returns the inner product alone:
`+∇fᵀ H⁻¹ ∇L`.
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Numbers = TypeVar("Numbers", float, Tensor, NDArray[np.float32], NDArray[np.float64])


def influence(product: Numbers, n_train: int) -> Numbers:
    """From the inner product `∇fᵀ (G + λI)⁻¹ ∇L(z)`: predicted change of f, nats."""
    return product * (-1.0 / n_train)


def influence_by_logp(product: Numbers, n_train: int) -> Numbers:
    """The same from `∇fᵀ (G + λI)⁻¹ ∇log p`: a log-probability is a loss with the opposite sign."""
    return product * (1.0 / n_train)


def self_influence(energy: Numbers, n_train: int) -> Numbers:
    """From `∇gᵀ (G + λI)⁻¹ ∇g`, for a document: the fall of its own loss if it were seen once more, nats."""
    return energy * (1.0 / n_train)


def solve_norm(norm: Numbers, n_train: int) -> Numbers:
    """From `‖(G + λI)⁻¹ ∇L(z)‖`: the length of the parameter step that seeing z once more would make."""
    return norm * (1.0 / n_train)
