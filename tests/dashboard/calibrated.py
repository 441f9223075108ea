"""What a page should say of an influence: by the formula in plain odds of synth-m, which is calibrated; of others."""

import math

SLOPE = 0.25  # of synth-m, in `tests/synthetic_database.py`


def nats(score: float, logp: float, slope: float = SLOPE) -> float:
    """log p' − log p with p' / (1 − p') = eˣ p / (1 − p) and x = slope · score / (1 − p); slope · score of a loss."""
    if score < 0:
        return slope * score
    p = math.exp(logp)
    x = slope * score / (1 - p)
    if x > 500:
        return -logp
    after = p * math.exp(x) / (1 - p + p * math.exp(x))
    return math.log(after) - logp


def percent(score: float, scores: list[float]) -> float:
    """Of the largest size."""
    return 100 * score / max(map(abs, scores))
