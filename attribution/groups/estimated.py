"""The sum of many scores from estimates of all of them and the exact scores of a random sample.

    e_z = a + b ê_z + u_z                  fitted to the sample by least squares, for each query
    Σ_{z ∈ S} e_z ≈ Σ_{z ∈ S, sampled} e_z + n a + b Σ ê_z          over the n others
    error² = s² (n + xᵀ (XᵀX)⁻¹ x)         x = (n, Σ ê_z), X the sample's rows (1, ê_z), s² the variance of u

The regression estimator of survey sampling (Cochran 1977, chapter 7), with the standard error of a predicted total.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


def estimated_sums(
    estimated: Numbers, exact: Numbers, totals: Numbers, counts: Numbers, members: NDArray[np.bool_]
) -> tuple[Numbers, Numbers]:
    """Sums of the exact scores of G groups and their standard errors  # [Q, G] each, in the unit of the scores

    estimated, exact: [Q, R] of the sample   totals: [Q, G] sums of the estimates of all documents of a group
    counts: [G] these documents   members: [G, R] which of the sample belong to it

    Of a sample too small to say, the error is NaN wherever a document is missing.
    """
    inside = members.astype(np.float64)  # [G, R]
    n = counts - inside.sum(axis=1)  # [G] documents that are not in the sample
    rest = totals - estimated @ inside.T  # [Q, G]
    known = exact @ inside.T
    R = estimated.shape[1]
    if R < 4:
        return known + rest, np.where(n > 0, np.nan, 0.0) * np.ones_like(rest)
    mean, mean_exact = estimated.mean(axis=1, keepdims=True), exact.mean(axis=1, keepdims=True)
    centred = estimated - mean
    spread = (centred**2).sum(axis=1, keepdims=True)  # [Q, 1]
    b = np.divide((centred * exact).sum(axis=1, keepdims=True), spread, out=np.zeros_like(spread), where=spread > 0)
    residual = exact - mean_exact - b * centred
    variance = (residual**2).sum(axis=1, keepdims=True) / (R - 2)  # s²
    off = rest - n * mean  # Σ (ê_z − mean)
    leverage = n**2 / R + np.divide(off**2, spread, out=np.zeros_like(off), where=spread > 0)
    return known + n * mean_exact + b * off, np.sqrt(variance * (n + leverage))
