"""Normalisers: what a score is divided by before documents are ranked. All are stored, none is baked into a score.

| name              | divisor            | source                                                       |
| none              | 1                  |                                                              |
| grad_norm         | ‖∇L‖               |                                                              |
| grad_norm_squared | ‖∇L‖²              | the article, after Basu et al. 2021 (arXiv 2006.14651)       |
| relatif_l         | √self-influence    | RelatIF-ℓ, Barshan et al. 2020 (arXiv 2003.11630)            |
| relatif_theta     | ‖(1/N) H⁻¹ ∇L‖     | RelatIF-θ, the same                                          |
| cosine            | √(self-influence of the document · of the query): the angle in the metric of H⁻¹     |

For one query, `cosine` and `relatif_l` rank alike; between queries only `cosine` has a common scale.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Norms:
    """What the divisors are made of: of D documents, and of Q queries."""

    grad_norm: Numbers  # [D]
    self_influence: Numbers  # [D]
    solve_norm: Numbers  # [D]
    query_self_influence: Numbers  # [Q]


NORMALISERS: dict[str, Callable[[Norms], Numbers]] = {
    "none": lambda norms: np.ones((1, 1), dtype=np.float32),
    "grad_norm": lambda norms: norms.grad_norm[None],
    "grad_norm_squared": lambda norms: norms.grad_norm[None] ** 2,
    "relatif_l": lambda norms: np.sqrt(norms.self_influence)[None],
    "relatif_theta": lambda norms: norms.solve_norm[None],
    "cosine": lambda norms: np.sqrt(norms.query_self_influence[:, None] * norms.self_influence[None]),
}


def normalise(scores: Numbers, norms: Norms, name: str) -> Numbers:
    """Scores divided by the named normaliser; a document without gradient has score 0 under each.

    scores: [Q, D] or, by layer, [Q, D, L]. Raises BadInput for a name that is none of `NORMALISERS`.
    """
    if name not in NORMALISERS:
        raise BadInput(f"expected a normaliser out of {', '.join(NORMALISERS)}, found {name!r}")
    divisor = NORMALISERS[name](norms)  # [Q or 1, D or 1]
    divisor = divisor.reshape(*divisor.shape, *[1] * (scores.ndim - 2))
    return np.divide(scores, divisor, out=np.zeros_like(scores), where=divisor > 0)
