"""How much two rankings agree, from 0 (nothing shared) to 1 (the same).

overlap at k            |A_k ∩ B_k| / k
rank-biased overlap     (1 − p) / (1 − pᵈ) · Σ_{i=1..d} pⁱ⁻¹ |A_i ∩ B_i| / i      Webber et al. 2010, truncated at d = k
"""

from collections.abc import Sequence

PERSISTENCE = 0.9  # p: how far down a reader is thought to look


def overlap_at(one: Sequence[str], other: Sequence[str], k: int = 10) -> float:
    """Share of the first k that both have; lists shorter than k are compared at the longer one's length."""
    k = min(k, max(len(one), len(other)))
    return len(set(one[:k]) & set(other[:k])) / k if k else float("nan")


def rank_biased_overlap(one: Sequence[str], other: Sequence[str], k: int = 10, p: float = PERSISTENCE) -> float:
    """Agreement that weighs the top ranks most, normalised so that equal lists of any length give 1."""
    depth = min(k, max(len(one), len(other)))
    if not depth:
        return float("nan")
    total = sum(p ** (i - 1) * len(set(one[:i]) & set(other[:i])) / i for i in range(1, depth + 1))
    return total * (1 - p) / (1 - p**depth)
