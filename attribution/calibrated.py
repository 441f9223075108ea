"""What a predicted change of log p is worth once training has been repeated: the one home of that unit. Pure.

An influence `s` is a first-order prediction, and its size is not that of the change: `slope` nats were measured for one
predicted (`indexer/evaluate/measures/slope.py`). The slope acts on the log-odds, where no size is impossible:

    Δ = log σ(logit p + slope · s / (1 − p)) − log p            ∂Δ/∂s = slope at s = 0, and Δ < −log p for every s

For a difference of log-probabilities, which has no such end, it is slope · s.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

LEAST = 2.0**-23  # of 1 − p: what float32 knows of a probability


def change(score: ArrayLike, slope: float, logp: ArrayLike | None = None) -> NDArray[np.float64]:
    """Nats that seeing the document once more would change f by, to the first order in `score`.

    score: influence, nats   logp: f = log p of a token, a word or an answer, or a mean of such; None: a difference
    The shapes are broadcast; NaN where either is NaN.
    """
    s = slope * np.asarray(score, dtype=np.float64)
    if logp is None:
        return np.asarray(s, dtype=np.float64)
    known = np.minimum(np.asarray(logp, dtype=np.float64), 0.0)
    rest = np.maximum(-np.expm1(known), LEAST)  # 1 − p
    odds = known - np.log(rest)
    x = s / rest
    with np.errstate(invalid="ignore"):  # of NaN
        found = np.logaddexp(0.0, -odds) - np.logaddexp(0.0, -(odds + x))
        small = -np.log1p(rest / (np.exp(known) + rest) * np.expm1(-np.clip(x, -1.0, 1.0)))  # the same, to every digit
        found = np.where(np.abs(x) < 1.0, small, found)
        return np.asarray(np.minimum(found, -known), dtype=np.float64)
