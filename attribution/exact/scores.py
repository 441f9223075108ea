"""Exact influence of documents on queries, by layer, at full rank: one pass over the documents for all queries.

Layers stand outermost: of some passes the tokens are kept, and layer by layer the directions of all queries are formed
and meet them. So memory follows the tokens of those passes and of the queries, not the model times the queries. The
gradient of a document that many queries want is formed, and one matrix product serves all of them; the tokens of a
document that few want meet the directions themselves.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.exact.owned import Owned
from attribution.exact.pairs import pair_shares
from attribution.exact.products import Pairs, add_layer_products, add_products, among, on_device
from attribution.influence import influence
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, capture
from attribution.passes.embedding import block_gradients
from attribution.query.directions import Directions
from attribution.query.matrices import met
from attribution.query.vocabulary_rows import RowBlock
from attribution.schedule import by_tokens, near_each_other, runs

WAVE = 0.4  # of the memory, for captured passes that are scored together
OWNED = 0.05  # for what is each owner's of the scores that come by tokens
SLICE = 2**21  # numbers of an embedding's gradient at a time: its slices cost more to begin than a layer's

Add = Callable[[Sequence[Captured], NDArray[np.int64]], None]


@dataclass(frozen=True)
class Scores:
    """Influence of D documents on Q queries; NaN where a pair was not computed or the document was skipped."""

    values: NDArray[np.float32]  # [Q, D, L] nats; the sum over L is the influence
    skipped: tuple[int, ...]  # documents whose gradient is not finite
    # (query, document) -> [T] nats, the share through every position, of the pairs for which it came along
    shares: Mapping[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)
    # the same pairs -> [n] nats, what each owner has of the linear layers, where it was asked for and costs little
    owned: Mapping[tuple[int, int], NDArray[np.float32]] = field(default_factory=dict)


def score_documents(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Row],
    n_train: int,
    *,
    wanted: NDArray[np.bool_] | None = None,
    owned: Owned | None = None,
    tick: Callable[[int], None] | None = None,
) -> Scores:
    """Every document against every query, or against those that it is `wanted` for ([Q, D]).

    `n_train`: N of the corpus; `owned`: the scores may come with what is each owner's; `tick(n)` after n documents.

    Raises BadInput for a document that is empty or longer than the context.
    """
    everything = np.ones((directions.n, len(documents)), dtype=bool) if wanted is None else wanted
    schedule = tracked.schedule
    few = by_tokens(everything, np.array([len(document) for document in documents]), schedule.rates)
    along = owned if _cheaply(tracked, directions, owned, int(everything[:, few].sum())) else None
    scoring = _Scoring(tracked, directions, everything, n_train, along)
    crowd = np.flatnonzero(everything.any(axis=0) & ~few)
    groups: list[tuple[NDArray[np.int64], Add]] = [(crowd, scoring.add_gradients)]
    groups += [(near, scoring.add_pairs) for near in near_each_other(everything, np.flatnonzero(few), schedule.near)]
    for members, add in groups:
        for passes in waves(tracked, [documents[i] for i in members]):
            of = members[[i for captured in passes for i in captured.batch.members]]
            add(passes, of)
            if tick is not None:
                tick(len(of))
    return scoring.scores()


def _cheaply(tracked: Tracked, directions: Directions, owned: Owned | None, n_pairs: int) -> bool:
    """Whether the parts of all pairs fit, and no token has to be turned back for them."""
    if owned is None or 4 * n_pairs * owned.n > tracked.schedule.share(OWNED):
        return False
    return all(of.basis is None for of in directions.linear)


class _Scoring:
    """What is known so far; `members` are the documents of some passes."""

    def __init__(
        self,
        tracked: Tracked,
        directions: Directions,
        wanted: NDArray[np.bool_],
        n_train: int,
        along: Owned | None,
    ) -> None:
        self.tracked, self.directions, self.wanted, self.n_train = tracked, directions, wanted, n_train
        self.along = along
        self.owned: dict[tuple[int, int], NDArray[np.float32]] = {}
        self.values = np.full((*wanted.shape, len(tracked.layers)), np.nan, dtype=np.float32)
        self.shares: dict[tuple[int, int], NDArray[np.float32]] = {}
        self.finite = np.ones(wanted.shape[1], dtype=bool)

    def add_gradients(self, passes: Sequence[Captured], members: NDArray[np.int64]) -> None:
        pairs = on_device(runs(self.wanted[:, members], self.tracked.schedule.rates), self.tracked.device)
        products = pass_products(self.tracked, self.directions, passes, pairs)  # [Q, B, L]
        self.finite[members] = torch.isfinite(products).all(dim=2).all(dim=0).cpu().numpy()
        for queries, of in pairs:
            columns = members[of.cpu().numpy()]
            self.values[queries, columns] = influence(products[queries, of], self.n_train).cpu().numpy()

    def add_pairs(self, passes: Sequence[Captured], members: NDArray[np.int64]) -> None:
        found = pair_shares(self.tracked, self.directions, passes, self.wanted[:, members], owned=self.along)
        by_layer = influence(found.rows, self.n_train).cpu().numpy()  # [M, L]
        documents = members[found.documents]
        summed = np.add.reduceat(by_layer, found.starts[:-1], axis=0)
        self.values[found.queries, documents] = summed
        self.finite[documents[~np.isfinite(summed).all(axis=1)]] = False
        each = np.split(by_layer.sum(axis=1), found.starts[1:-1])
        pairs = list(zip(found.queries.tolist(), documents.tolist(), strict=True))
        self.shares.update(zip(pairs, each, strict=True))
        if found.sums is not None:
            sums = np.asarray(influence(found.sums, self.n_train).cpu().numpy(), dtype=np.float32)
            self.owned.update(zip(pairs, sums, strict=True))

    def scores(self) -> Scores:
        self.values[~self.wanted] = np.nan  # of a pair that came along in a wanted product
        self.values[:, ~self.finite] = np.nan
        return Scores(self.values, tuple(np.flatnonzero(~self.finite).tolist()), self.shares, self.owned)


def waves(tracked: Tracked, documents: Sequence[Row]) -> Iterator[list[Captured]]:
    """Passes over all documents, as many at once as `WAVE` of the memory holds: the directions of all queries are
    formed or read once for each wave, and a query meets more of the documents that it wants in one product. A list is
    empty once the next one is asked for."""
    wave: list[Captured] = []
    most = tracked.schedule.share(WAVE)
    tokens = max(1, tracked.batch_tokens // 2)  # its graph stands beside the wave and the directions
    for batch in batches(documents, tracked.loaded.context, tracked.device, tokens):
        wave.append(capture(tracked, batch))
        if sum(captured.nbytes(tracked) for captured in wave) + wave[-1].nbytes(tracked) > most:
            yield wave
            wave.clear()  # whoever asks for the next wave still has the list: two of them would be held
    if wave:
        yield wave
        wave.clear()


def pass_products(tracked: Tracked, directions: Directions, passes: Sequence[Captured], pairs: Pairs) -> Tensor:
    """⟨P_q, ∇L(z)⟩ by layer, of the documents of some passes  # [Q, B, L]; zero where a pair is not wanted"""
    n = sum(len(captured.batch.members) for captured in passes)
    out = tracked.zeros(len(tracked.layers), directions.n, n)
    turned = met(
        tracked.linear,
        directions.linear,
        lambda layer: [captured.deltas[layer] for captured in passes],
        lambda layer: [captured.inputs[layer] for captured in passes],
    )
    for layer, deltas, inputs in turned:
        of = list(zip(deltas, inputs, strict=True))
        add_layer_products(out[layer], directions.linear[layer], of, pairs, tracked.schedule.cached)
    for i, block in enumerate(directions.embedding):
        _add_embedding_products(out[len(tracked.linear) + i], tracked, passes, i, block, pairs)
    return out.permute(1, 2, 0)


def _add_embedding_products(
    out: Tensor, tracked: Tracked, passes: Sequence[Captured], i: int, block: RowBlock, pairs: Pairs
) -> None:
    most = max(len(captured.batch.members) for captured in passes)
    step = max(1, SLICE // (max(most, out.shape[0]) * block.width))
    starts = np.cumsum([0, *(len(captured.batch.members) for captured in passes)]).tolist()
    mine = [among(pairs, *of) for of in zip(starts, starts[1:], strict=False)]
    for start in range(0, len(block.rows), step):
        rows = block.rows[start : start + step]
        P = block.between(start, start + len(rows)).flatten(1)  # [Q, r · H]
        for captured, first, of in zip(passes, starts, mine, strict=False):
            if of:
                gradients = block_gradients(tracked, captured, i, rows).flatten(1)
                add_products(out[:, first : first + len(gradients)], P, gradients, of)
