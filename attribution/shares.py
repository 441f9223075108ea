"""Position shares: the part of a document's influence that passes through each of its positions, by layer.

    share_t = δ_tᵀ P a_t      summed over positions, the document's influence

At full rank this is one product of the documents' inputs with P per query. At rank r, P ≈ L Rᵀ and
share_t = Σ_k (L_kᵀ δ_t)(R_kᵀ a_t), which pays when one query meets many tokens (see `low_rank.py`).
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.batches import Document, batches
from attribution.capture import Captured, capture
from attribution.directions import Directions
from attribution.embedding import places
from attribution.influence import influence
from attribution.low_rank import Factored
from attribution.tracked import Tracked

TOKENS = 4096  # padded tokens of a batch
TOGETHER = 16  # queries whose low-rank factors share a product


def position_shares(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Document],
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
    wanted = sorted({i for of in own for i in of})
    found: dict[tuple[int, int], NDArray[np.float32]] = {}
    for batch in batches([documents[i] for i in wanted], tracked.loaded.context, tracked.device, TOKENS):
        members = [wanted[i] for i in batch.members]
        captured = capture(tracked, batch)
        for queries, mine in alike(own, members):
            shares = _shares(tracked, directions, factored, captured, queries, mine)  # [K, B', T, L]
            for q, by_document in zip(queries, influence(shares, n_train).cpu().numpy(), strict=True):
                for b, share in zip(mine, by_document, strict=True):
                    found[q, members[b]] = share[: len(documents[members[b]])]
        if tick is not None:
            tick(len(members))
    return [[found[q, document] for document in of] for q, of in enumerate(own)]


def alike(own: Sequence[Sequence[int]], members: Sequence[int]) -> list[tuple[list[int], list[int]]]:
    """Queries that want the same documents of a pass, at most `TOGETHER` at once, and the places of these documents."""
    groups: dict[tuple[int, ...], list[int]] = {}
    for q, of in enumerate(map(set, own)):
        mine = tuple(b for b, document in enumerate(members) if document in of)
        if mine:
            groups.setdefault(mine, []).append(q)
    starts = [(mine, start) for mine, queries in groups.items() for start in range(0, len(queries), TOGETHER)]
    return [(groups[mine][start : start + TOGETHER], list(mine)) for mine, start in starts]


def _shares(
    tracked: Tracked,
    directions: Directions,
    factored: Sequence[Sequence[Factored]] | None,
    captured: Captured,
    queries: list[int],
    members: list[int],
) -> Tensor:
    """`δ_tᵀ P a_t` of some documents of a pass for K queries  # [K, B', T, L]"""
    everyone = len(members) == len(captured.batch.members)
    of = None if everyone else torch.tensor(members, device=tracked.device)

    def mine(x: Tensor) -> Tensor:
        return x if of is None else x[of]

    shares = []
    for layer, (deltas, inputs) in enumerate(zip(captured.deltas, captured.inputs, strict=True)):
        if factored is None:
            shares.append(bilinear(mine(deltas), [directions.linear[layer][q] for q in queries], mine(inputs)))
        else:
            shares.append(bilinear_low_rank(mine(deltas), [factored[layer][q] for q in queries], mine(inputs)))
    ids = mine(captured.batch.ids)
    for i, block in enumerate(directions.embedding):
        values = [block.values[q] for q in queries]  # [R, H] each
        share = tracked.zeros(len(queries), *ids.shape)
        if tracked.tied or i == 1:
            logit_deltas = captured.padded_logit_deltas(block.rows, of)  # [B', T, R]
            share += bilinear(logit_deltas, values, mine(captured.hidden))
        if i == 0:
            at = places(ids, block.rows, tracked.embedding[0].n_out)  # [B', T]
            deltas = mine(captured.embedded_deltas) * (tracked.embedding_scale * (at >= 0)[..., None])
            share += torch.stack([(value[at.clamp(min=0)] * deltas).sum(dim=-1) for value in values])
        shares.append(share)
    return torch.stack(shares, dim=-1)


def bilinear(deltas: Tensor, P: Sequence[Tensor], inputs: Tensor) -> Tensor:
    """δᵀ P a at every position.    deltas: [B, T, out]   P: K of [out, in]   inputs: [B, T, in]   -> [K, B, T]"""
    return torch.stack([((inputs @ of.T) * deltas).sum(dim=-1) for of in P])


def bilinear_low_rank(deltas: Tensor, factors: Sequence[Factored], inputs: Tensor) -> Tensor:
    """The same from P_k = L_k R_kᵀ, as two products for all K queries."""
    left = torch.cat([factor.left for factor in factors], dim=1)  # [out, K · r]
    right = torch.cat([factor.right for factor in factors], dim=1)
    both = (deltas @ left).mul_(inputs @ right)  # [B, T, K · r]
    return both.view(*both.shape[:2], len(factors), -1).sum(dim=-1).movedim(-1, 0)
