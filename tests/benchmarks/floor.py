"""What bounds the engine: the multiplications and additions that it cannot leave out, and how fast they are done here.

P: tracked parameters   n: tokens   m: tokens that are learned   D: documents   Q: queries   V, H: of the head
    forward and backward to the activations    4 (P n + V H m), attention left out
    gradient of every document                 2 P n
    tokens turned into the eigenbasis          2 Σ (n_in² once for all that read the same + n_out²) n
    products with every query                  2 P Q D
    position shares of a query                 2 P n, or 2 r Σ (n_out + n_in) n at rank r
    solving for a query                        2 Σ (n_out n_in² + n_out² n_in), rotating back from the eigenbasis
"""

import time
from collections.abc import Sequence

import torch

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row


def passes(tracked: Tracked, documents: Sequence[Row]) -> int:
    """Forward and backward of the documents."""
    n, learned = sum(map(len, documents)), sum(len(of) - max(of.first_target, 1) for of in documents)
    return 4 * (parameters(tracked) * n + tracked.head_weight.numel() * learned)


def gradients(tracked: Tracked, documents: Sequence[Row]) -> int:
    return 2 * parameters(tracked) * sum(map(len, documents))


def turning(tracked: Tracked, documents: Sequence[Row]) -> int:
    each = sum((0 if of.reads_on else of.n_in**2) + of.n_out**2 for of in tracked.linear)
    return 2 * each * sum(map(len, documents))


def products(tracked: Tracked, n_queries: int, n_documents: int) -> int:
    return 2 * parameters(tracked) * n_queries * n_documents


def solves(tracked: Tracked, n_queries: int) -> int:
    return n_queries * sum(2 * of.n_out * of.n_in * (of.n_out + of.n_in) for of in tracked.linear)


def position_shares(tracked: Tracked, n_tokens: int, rank: int | None = None) -> int:
    """n_tokens: of the documents of each query, over all queries."""
    if rank is None:
        return 2 * parameters(tracked) * n_tokens
    return 2 * rank * sum(of.n_out + of.n_in for of in tracked.linear) * n_tokens


def parameters(tracked: Tracked) -> int:
    return sum(of.n_out * of.n_in for of in tracked.linear)


def rate(seconds: float = 1.0) -> float:
    """Multiplications and additions in a CPU second of large square float32 products."""
    a = torch.randn(1024, 1024)
    a @ a
    n, started = 0, time.process_time()
    while time.process_time() - started < seconds:
        a @ a
        n += 1
    return 2 * 1024**3 * n / (time.process_time() - started)
