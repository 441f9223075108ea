"""Token-loss influence and relabelling of documents, from one forward-mode pass.

With v = (G + λI)⁻¹ ∇f and ż the derivative of the logits in the direction v:
    influence of training on the loss of token t     (1/N) vᵀ ∇log p(z_t) = (1/N) Σ_y p_t[y] (ż_t[z_t] − ż_t[y])
    influence of replacing the label z_t by y        (1/N) vᵀ (∇log p(y) − ∇log p(z_t)) = (1/N) (ż_t[y] − ż_t[z_t])
The first sums over t to the document's influence. In the second the tokens that are read stay as they are. Of a pair
both are multiplied by the weight of the token's loss, which is negative in the rejected answer.

∇log p(y) is the larger the less the model expects y, so of all replacements those that no text would hold lead. Kept
are those that it finds plausible there: what a wrong label might have been meant to be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from attribution.exact.tangent import logits_and_tangent
from attribution.influence import influence_by_logp
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, batches
from attribution.query.directions import Directions

# of a replacement: that the model gives it so much, or that it is among so many most probable and has such a part of
# what the first has. A hundredth is what somebody may well have written there; where the model hardly knows, nothing
# has that much: the first are its guesses. Where it is sure, they are none
PLAUSIBLE, GUESSES, NEAR = 0.01, 10, 0.1
HELD = 0.3  # of the memory, for logits
LOGITS = 6  # numbers for each target and entry of the vocabulary that are held at once: logits, their tangent, products


@dataclass(frozen=True)
class TokenLoss:
    """Of one document of T tokens and one query; nats. A token that is no target (the first) has 0, and labels −1."""

    influences: NDArray[np.float32]  # [T] entry t: training on the loss of token t
    label_ids: NDArray[np.int32]  # [T, n_labels] the plausible replacements of token t that push most towards f, best
    # first; −1 behind the last
    label_influences: NDArray[np.float32]  # [T, n_labels] NaN where there is none
    label_probabilities: NDArray[np.float32]  # [T, n_labels] what the model gives them there, NaN likewise


def token_losses(
    tracked: Tracked,
    directions: Directions,
    documents: Sequence[Row],
    own: Sequence[Sequence[int]],
    n_train: int,
    *,
    n_labels: int = 10,
    tick: Callable[[int], None] | None = None,
) -> list[list[TokenLoss]]:
    """For each query, of its documents `own[q]` (indices), in that order. `tick(n)` after n pairs."""
    found: list[TokenLoss] = []
    tokens = min(tracked.batch_tokens, tracked.schedule.fits(4 * LOGITS * tracked.n_rows, HELD))
    for pairs in _near(documents, own, tokens):
        made: dict[int, TokenLoss] = {}
        rows = [documents[i] for _, i in pairs]
        for batch in batches(rows, tracked.loaded.context, tracked.device, tokens, in_order=True):  # by query
            z, tangent = logits_and_tangent(tracked, directions, [pairs[n][0] for n in batch.members], batch)
            made.update(zip(batch.members, _of_documents(batch, z, tangent, n_train, n_labels), strict=True))
            if tick is not None:
                tick(len(batch.members))
        found += [made[n] for n in range(len(pairs))]
    in_order = iter(found)
    return [[next(in_order) for _ in of] for of in own]


def _near(documents: Sequence[Row], own: Sequence[Sequence[int]], tokens: int) -> Iterator[list[tuple[int, int]]]:
    """Pairs of a query and a document in order, about a batch of tokens at a time: a direction is formed for every
    batch that it meets."""
    some: list[tuple[int, int]] = []
    size = 0
    for q, of in enumerate(own):
        some += [(q, i) for i in of]
        size += sum(len(documents[i]) for i in of)
        if size >= tokens:
            yield some
            some, size = [], 0
    if some:
        yield some


def loss_products(z: Tensor, tangent: Tensor, labels: Tensor) -> Tensor:
    """vᵀ ∇log p(label) at each target.    z, tangent: [n, V]   labels: [n]   -> [n]"""
    return _expected(z.softmax(dim=1), relabel_products(tangent, labels))


def _expected(p: Tensor, others: Tensor) -> Tensor:
    """−Σ_y p[y] (ż[y] − ż[label]): where p[label] is nearly 1, no difference of nearly equal numbers.

    p: [n, V]   others: [n, V] what `relabel_products` finds   -> [n]
    """
    return -(p * others).sum(dim=1)


def relabel_products(tangent: Tensor, labels: Tensor) -> Tensor:
    """vᵀ (∇log p(y) − ∇log p(label)) for every y.    tangent: [n, V]   labels: [n]   -> [n, V]"""
    return tangent - tangent.gather(1, labels[:, None])


def plausible(p: Tensor) -> Tensor:
    """Entries of the vocabulary that have `PLAUSIBLE`, or are among the `GUESSES` most probable and `NEAR` the first.

    p: [n, V] -> bool
    """
    guesses = p.topk(min(GUESSES, p.shape[1]), dim=1)
    likely = (guesses.values >= NEAR * guesses.values[:, :1]) | (guesses.values >= PLAUSIBLE)
    return (p >= PLAUSIBLE).scatter(1, guesses.indices, likely)


def _of_documents(batch: Batch, z: Tensor, tangent: Tensor, n_train: int, n_labels: int) -> list[TokenLoss]:
    p = z.softmax(dim=1)
    others = relabel_products(tangent, batch.labels)
    products = _expected(p, others)
    weights = batch.weights()
    if weights is not None:
        products, others = products * weights.to(products), others * weights.to(others)[:, None]
    losses = influence_by_logp(products, n_train)
    others = others.masked_fill(~plausible(p), -torch.inf).scatter(1, batch.labels[:, None], -torch.inf)
    best = others.topk(min(n_labels, others.shape[1] - 1), dim=1)
    kept = best.indices.shape[1]
    # a target at position t is token t + 1
    shape = (len(batch.members), batch.ids.shape[1] + 1)
    at = torch.nn.functional.pad(batch.is_target, (1, 0)).cpu().numpy()  # [B, T + 1]
    influences = np.zeros(shape, dtype=np.float32)
    label_ids = np.full((*shape, kept), -1, dtype=np.int32)
    label_influences = np.full((*shape, kept), np.nan, dtype=np.float32)
    label_probabilities = np.full((*shape, kept), np.nan, dtype=np.float32)
    influences[at] = losses.cpu().numpy()
    there = best.values > -torch.inf
    label_ids[at] = best.indices.where(there, -1).cpu().numpy()
    label_influences[at] = influence_by_logp(best.values, n_train).where(there, torch.nan).cpu().numpy()
    label_probabilities[at] = p.gather(1, best.indices).where(there, torch.nan).cpu().numpy()
    real = batch.is_token.cpu().numpy()  # [B, T]
    of = [each[:, :-1] for each in (influences, label_ids, label_influences, label_probabilities)]
    return [TokenLoss(*(each[b][real[b]] for each in of)) for b in range(len(real))]
