"""A query that is no sum of a few tokens, as the scan of a gradient index needs it: more pairs of vectors than a token.

The direction of many texts is of high rank: what a token keeps would lose most of it, and there is one of it only.
"""

from collections.abc import Sequence

from attribution.curvature.blocks import Preconditioner
from attribution.index.metric import Metric
from attribution.index.query import LayerQuery, layer_query, row_query, spread
from attribution.model.tracked import Tracked
from attribution.query.directions import Directions
from attribution.query.low_rank import truncated

RANK = 64  # pairs of vectors in a layer that are looked at
PAIRS = 32  # that are kept, a layer on average
ROUNDS = 2  # of the truncation


def whole_query(
    tracked: Tracked,
    directions: Directions,
    metrics: Sequence[Metric],
    indexed: Preconditioner,
    *,
    rank: int = RANK,
    pairs: float = PAIRS,
) -> list[LayerQuery]:
    """Directions as queries of an index, by layer of `tracked.layers`.

    metrics, indexed: the scales and the curvature of the index, as `index_queries` has them.
    """
    factors, rows = [], []
    for of, eigen, metric in zip(directions.linear, indexed.eigen(tracked), metrics, strict=True):
        scaled = metric.scaled_direction(of.in_basis(eigen.basis))  # [K, out', in']
        factors.append(truncated(scaled, min(rank, *scaled.shape[1:]), ROUNDS))
    for diagonal, matter in zip(indexed.diagonal(tracked), directions.embedding, strict=True):
        whitened = matter.values / diagonal.root(matter.rows)  # [K, R, H]
        made = truncated(whitened, min(rank, *whitened.shape[1:]), ROUNDS)
        factors.append(made)
        rows.append((matter, *made))
    kept = spread(factors, pairs)
    found = [layer_query(*of, mask) for of, mask in zip(factors[: len(tracked.linear)], kept, strict=False)]
    for layer, of_rows, mask in zip(tracked.embedding, rows, kept[len(tracked.linear) :], strict=True):
        found.append(row_query(layer.n_out, *of_rows, mask))
    return found
