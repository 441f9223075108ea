"""Answers that are one part of the influence stage: a part is done or not when a build is interrupted, and processes
share out parts. How many of its tokens are explained at once is another matter: see `chunks`."""

from collections.abc import Sequence

import numpy as np

from attribution.curvature.work import cut

SIZE = 1 << 30  # bytes that the directions of a part have, formed: a measure of work
TOKENS = 128  # of a part where SIZE would make it smaller, shared among the stages: each part reads its documents anew


def answer_parts(
    n_targets: Sequence[int], n_tracked: int, n_stages: int = 1, size: int = SIZE, tokens: int = TOKENS
) -> list[list[int]]:
    """Consecutive answers, about as many tokens in each part.

    n_targets: generated tokens of each answer   n_tracked: parameters of a direction of one stage of training
    """
    most = max(size / (4 * n_stages * max(1, n_tracked)), tokens / n_stages, 1)
    return [list(of) for of in cut(np.array(n_targets), range(len(n_targets)), most) if of]
