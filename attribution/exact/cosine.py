"""Influence without curvature: every evaluation compares with it.

gradient dot      −(1/N) ∇f·∇L(z)
gradient cosine   −∇f·∇L(z) / (‖∇f‖ ‖∇L(z)‖)

As for every normaliser, a document without gradient has no cosine: NaN, not zero.
"""

import numpy as np
from numpy.typing import NDArray

from attribution.exact.scores import Scores
from attribution.influence import influence
from attribution.query.directions import Directions

Numbers = NDArray[np.float32]


def gradient_cosine(dot: Scores, directions: Directions, grad_norm: Numbers, n_train: int) -> Numbers:
    """From gradient-dot scores [Q, D, L] and the documents' gradient norms [D]; by layer  # [Q, D, L]

    NaN where the query or the document has no gradient, or one whose length is not known.
    """
    size = directions.energy.sqrt().cpu().numpy()[:, None, None] * grad_norm[None, :, None]
    unit = np.divide(dot.values, size, out=np.full_like(dot.values, np.nan), where=size > 0)
    return (unit / abs(influence(1.0, n_train))).astype(np.float32)
