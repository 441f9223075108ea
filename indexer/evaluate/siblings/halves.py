"""Which documents a protocol works on, which halves of them models are trained on, and what is asked: pure, seeded."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

HALF = 0.5


def chosen(n_corpus: int, n: int, seed: int) -> NDArray[np.int64]:
    """n documents of the corpus, in its order."""
    return np.sort(np.random.default_rng([seed, 0]).choice(n_corpus, size=min(n, n_corpus), replace=False))


def chosen_around(wanted: Sequence[int], n_corpus: int, n: int, seed: int) -> NDArray[np.int64]:
    """n documents of the corpus, in its order: the wanted ones, at most half, and random others."""
    kept = np.array(list(dict.fromkeys(wanted))[: n // 2], dtype=np.int64)
    rest = np.setdiff1d(np.arange(n_corpus), kept)
    drawn = np.random.default_rng([seed, 4]).choice(rest, size=min(n - len(kept), len(rest)), replace=False)
    return np.sort(np.concatenate([kept, drawn]))


def half(n: int, k: int, seed: int) -> NDArray[np.int64]:
    """The k-th random half of n documents, in their order  # [n // 2]"""
    return np.sort(np.random.default_rng([seed, 1, k]).choice(n, size=n // 2, replace=False))


def part(n: int, k: int, seed: int, share: float) -> NDArray[np.int64]:
    """The k-th random part of n documents, of this share of them, in their order; a half is `half`."""
    if share == HALF:
        return half(n, k, seed)
    drawn = np.random.default_rng([seed, 7, k, round(1000 * share)]).choice(n, size=round(share * n), replace=False)
    return np.sort(drawn)


def queries(n: int, n_queries: int, seed: int) -> NDArray[np.int64]:
    """The documents that are asked about."""
    return np.sort(np.random.default_rng([seed, 2]).choice(n, size=min(n_queries, n), replace=False))
