"""Position shares: the part of a document's influence that passes through each of its positions, by layer.

    share_t = δ_tᵀ P a_t      summed over positions, the document's influence

At full rank this is one product of the documents' tokens with P per query. At rank r, P ≈ L Rᵀ and
share_t = Σ_k (L_kᵀ δ_t)(R_kᵀ a_t), which pays when a query meets many tokens (see `low_rank.py`).
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from attribution.exact.pairs import pair_shares
from attribution.exact.scores import waves
from attribution.influence import influence
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from attribution.query.directions import Directions
from attribution.query.low_rank import Factored


def position_shares(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Row],
    own: Sequence[Sequence[int]],
    n_train: int,
    *,
    factored: Sequence[Sequence[Factored]] | None = None,
    tick: Callable[[int], None] | None = None,
) -> list[list[NDArray[np.float32]]]:
    """Shares of the documents `own[q]` (indices) of each query, at full rank, or at that of `factored` (by layer, by
    query; `low_rank.factor`).

    Returns for each query, in the order of own[q], an array [T_d, L] in nats: entry t is the share through position t.
    """
    wanted = np.zeros((len(own), len(documents)), dtype=bool)
    for q, of in enumerate(own):
        wanted[q, list(of)] = True
    needed: NDArray[np.int64] = np.flatnonzero(wanted.any(axis=0))
    found: dict[tuple[int, int], NDArray[np.float32]] = {}
    for passes in waves(tracked, [documents[int(i)] for i in needed]):
        members = needed[[i for captured in passes for i in captured.batch.members]]
        shares = pair_shares(tracked, directions, passes, wanted[:, members], factored)
        each = np.split(influence(shares.rows, n_train).cpu().numpy(), shares.starts[1:-1])
        pairs = zip(shares.queries.tolist(), members[shares.documents].tolist(), strict=True)
        found.update(zip(pairs, each, strict=True))
        if tick is not None:
            tick(len(members))
    return [[found[q, document] for document in of] for q, of in enumerate(own)]
