"""What a predicted change of log p is worth once training has been repeated: the one home of that unit. Pure.

An influence `s` is a first-order prediction, and its size is not that of the change: `slope` nats were measured for one
predicted (`indexer/evaluate/measures/slope.py`). Upwards the slope acts on the log-odds, where no size is impossible.
Downwards log p has no end, and in log-odds a sure token would lose 1/(1 − p) times what is predicted:

    Δ = log σ(logit p + slope · s / (1 − p)) − log p    slope · s ≥ 0        Δ < −log p for every s
    Δ = slope · s                                       slope · s < 0        ∂Δ/∂s = slope at s = 0, from both sides

For a difference of log-probabilities, which has no such end, it is slope · s both ways.
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
    with np.errstate(invalid="ignore"):  # of NaN
        x = np.maximum(s, 0.0) / rest
        gained = np.logaddexp(0.0, -odds) - np.logaddexp(0.0, -(odds + x))
        small = -np.log1p(rest / (np.exp(known) + rest) * np.expm1(-np.minimum(x, 1.0)))  # the same, to every digit
        gained = np.where(x < 1.0, small, gained)
        return np.asarray(np.where(s < 0, s + 0.0 * known, np.minimum(gained, -known)), dtype=np.float64)
