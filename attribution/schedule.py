"""How work is cut to fit a device: the einsum stands elsewhere, the sizes of its pieces and the order of its sums here.

Nothing here changes what is computed, only in how many pieces; sums may differ in their last bits. So the rates of a
device are fixed for its kind and never taken from a clock while something is computed: a build that goes on cuts its
work as it began, and two builds on two machines of a kind agree. `python -m tests.benchmarks profile` measures them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LEAST = 256 << 20  # bytes that a stage may hold, however little there is


@dataclass(frozen=True)
class Rates:
    """What a kind of device is good at. The last three are counted in multiply-adds of a large product.

    The unit of the exact scores is one token that meets one direction: a multiply-add for every number of the layer.
    """

    products: float = 4e10  # multiply-adds in a second of a large float32 product
    memory: float = 1.1e10  # bytes in a second that are read from memory, in order
    forming: float = 1.6  # a number of a gradient, for each of its tokens
    product: float = 2.0  # a number of a gradient that is in the cache, with one of many directions
    rows: int = 4  # rows or columns that a product seems to have besides its own, however many they are

    @property
    def alone(self) -> float:
        """A number of a gradient with a single direction: both are read from memory, four bytes each."""
        return 8 * self.products / self.memory


@dataclass(frozen=True)
class Schedule:
    """What one process may use, and what its device is good at."""

    memory: int = 2 << 30  # bytes that may be held at once besides the weights: what passes leave, directions, sums
    cached: int = 2**19  # float32 numbers that stay in the cache of a core
    tokens: int = 1024  # padded tokens of a batch: large enough for dense products, small enough for the cache
    vectors: int = 2048  # of a layer of the gradient index that are multiplied at once
    near: int = 256  # documents of neighbouring queries that are scored together
    rates: Rates = Rates()

    def share(self, part: float) -> int:
        """Bytes of a part of the memory."""
        return max(1, int(self.memory * part))

    def fits(self, each: int, part: float = 1.0) -> int:
        """Items of `each` bytes that a part of the memory holds, one at least."""
        return max(1, self.share(part) // max(1, each))

    def batch(self, read: int, written: int, vocabulary: int) -> int:
        """Padded tokens of a batch whose graph, and what a pass leaves of it, fit half of the memory.

        read, written: numbers of a token that all layers read and write   vocabulary: entries whose gradients are kept
        """
        return min(self.tokens, self.fits(4 * (2 * (read + written) + vocabulary), 0.5))


# A GPU wants few large pieces: a kernel begins in about ten microseconds, in which it could do 1e8 multiply-adds. Its
# rates are those of data sheets: a product of fewer than some dozens of rows takes the time to read its matrix.
_CUDA = Schedule(
    cached=2**23, tokens=8192, vectors=2**18, near=4096, rates=Rates(1e13, 1.5e12, forming=1.3, product=1.5, rows=32)
)
_KINDS = {"cpu": Schedule(), "cuda": _CUDA}


def of_kind(device: str) -> Schedule:
    """Of a kind of device, as torch names it; an unknown one is taken for an accelerator."""
    return _KINDS.get(device, _CUDA)


def pieces(n: int, each: int, most: int) -> Iterator[slice]:
    """n items of `each` numbers in order, in as few pieces of at most `most` numbers as there can be, one item at least
    in each; all but the last are equal."""
    step = max(1, most // max(1, each))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def by_tokens(wanted: NDArray[np.bool_], lengths: NDArray[np.int64], rates: Rates) -> NDArray[np.bool_]:
    """Whether a document's tokens meet the directions that want it, which costs less than to form its gradient and
    multiply that.

        tokens     n · T               n queries that want it, T tokens
        gradient   forming · T + n · c

    c: `product` where more than half of all queries want it, which lie in a row, else `alone`.

    wanted: [Q, D]   lengths: [D] T   -> [D], False where no query wants it
    """
    n = wanted.sum(axis=0)
    c = np.where(2 * n > len(wanted), rates.product, rates.alone)
    few: NDArray[np.bool_] = (n > 0) & (n * lengths < rates.forming * lengths + n * c)
    return few


def near_each_other(wanted: NDArray[np.bool_], documents: NDArray[np.int64], most: int) -> list[NDArray[np.int64]]:
    """Documents in groups of at most `most`, those of neighbouring queries together: a direction, which is read from
    memory for each group, meets few of them, each with many of its documents.

    wanted: [Q, D], by somebody for each of `documents`
    """
    ordered = documents[np.argsort(wanted[:, documents].argmax(axis=0), kind="stable")]
    return np.split(ordered, range(most, len(ordered), most))


Runs = list[tuple[slice, NDArray[np.int64]]]  # a run of queries, and the documents that one product gives them all


def runs(wanted: NDArray[np.bool_], rates: Rates) -> Runs:
    """Neighbouring queries that want much the same documents, as one product each, as far as that costs less.

    wanted: [Q, B]
    """
    found: Runs = []
    start, union = 0, wanted[0]
    for q in range(1, len(wanted)):
        together = union | wanted[q]
        apart = product_cost(q - start, union, rates) + product_cost(1, wanted[q], rates)
        if product_cost(q + 1 - start, together, rates) <= apart:
            union = together
        else:
            found.append((slice(start, q), np.flatnonzero(union)))
            start, union = q, wanted[q]
    found.append((slice(start, len(wanted)), np.flatnonzero(union)))
    return [(queries, documents) for queries, documents in found if len(documents)]


def product_cost(n_queries: int, documents: NDArray[np.bool_], rates: Rates) -> int:
    """Of one product, in multiply-adds for each number of the layer.    documents: [B]"""
    n = int(documents.sum())
    return (n_queries + rates.rows) * (n + rates.rows) if n else 0
