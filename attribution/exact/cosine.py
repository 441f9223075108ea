"""Influence without curvature: every evaluation compares with it.

gradient dot      −(1/N) ∇f·∇L(z)
gradient cosine   −∇f·∇L(z) / (‖∇f‖ ‖∇L(z)‖)
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import no_curvature
from attribution.exact.directions import Directions
from attribution.exact.query import query_directions
from attribution.exact.scores import Scores
from attribution.influence import influence
from attribution.model.tracked import Tracked

Numbers = NDArray[np.float32]


def gradient_queries(tracked: Tracked, ids: Sequence[int], first: int, measurement: str = "logp") -> Directions:
    """∇f itself as the direction; `scores.score_documents` with it is the gradient dot, `energy` is ‖∇f‖²."""
    return query_directions(tracked, no_curvature(tracked), ids, first, measurement=measurement)


def gradient_cosine(dot: Scores, directions: Directions, grad_norm: Numbers, n_train: int) -> Numbers:
    """From gradient-dot scores [Q, D, L] and the documents' gradient norms [D]; by layer  # [Q, D, L]"""
    size = directions.energy.sqrt().cpu().numpy()[:, None, None] * grad_norm[None, :, None]
    unit = np.divide(dot.values, size, out=np.zeros_like(dot.values), where=size > 0)
    return (unit / abs(influence(1.0, n_train))).astype(np.float32)
