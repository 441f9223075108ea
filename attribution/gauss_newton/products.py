"""Products with the Gauss–Newton matrix of a sample of documents, which is never formed.

    G v = (1/n) Σ_z Jᵀ H (J v)          z: n documents, J: ∂logits/∂θ at their targets
    H u = p ∘ (u − ⟨p, u⟩)              p = softmax(logits): the Hessian of a token's loss, and its true Fisher

J v by forward mode, Jᵀ by a backward pass. A document's loss is the sum over its tokens, so G has the unit of EK-FAC's
Λ and of the embedding's F. Of a preference pair the logit is βΔ, whose Hessian is σ(βΔ) σ(−βΔ) (`passes.preference`).

A direction costs a pass forward with its derivative and one backward; the graph that the second runs over is made once
for all directions that meet a batch.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.exact.tangent import logits_and_tangent
from attribution.gauss_newton.vectors import Vectors, as_directions, zeros
from attribution.model.head import head_pull_back, uncapped
from attribution.model.measurement import losses_and_deltas
from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, batches
from attribution.passes.capture import Forward, forward, pull_back

HELD = 6  # numbers for each target and entry of the vocabulary at once: logits, their tangent, what H makes of them
LOGITS = 0.3  # of the memory, for these


@dataclass(frozen=True)
class GaussNewton:
    """G of some documents, at the weights of a model."""

    tracked: Tracked
    documents: Sequence[Row]  # as training saw them, each once
    tick: Callable[[int], None] = lambda n: None  # told of n documents after one direction has met them

    def __call__(self, v: Vectors) -> Vectors:
        """G v of each of K vectors. Raises BadInput for a document that is empty or longer than the context."""
        tracked = self.tracked
        moving = as_directions(tracked, v, tracked.zeros(v.n), tracked.zeros(v.n))
        found = zeros(tracked, v.n)
        tokens = min(tracked.batch_tokens, tracked.schedule.fits(4 * HELD * tracked.n_rows, LOGITS))
        for batch in batches(self.documents, tracked.loaded.context, tracked.device, tokens):
            run = forward(tracked, batch.rows)
            for k in range(v.n):
                z, tangent = logits_and_tangent(tracked, moving, [k] * len(batch.members), batch)
                self._add(found, k, batch, run, through_loss(batch, z, tangent))
                self.tick(len(batch.members))
        shares = tracked.zeros(v.n) + 1 / len(self.documents)
        return found.times_(shares)

    def _add(self, found: Vectors, k: int, batch: Batch, run: Forward, deltas: Tensor) -> None:
        """Jᵀ of what stands at the logits.    deltas: [n, V] by z, of the targets in row order"""
        tracked, is_target = self.tracked, batch.is_target.view(-1, batch.width)
        with torch.no_grad():
            hidden = run.hidden[is_target]  # [n, H]
            deltas = uncapped(deltas, tracked.raw_logits(hidden), tracked.softcap)
            hidden_deltas = torch.zeros_like(run.hidden)
            hidden_deltas[is_target] = head_pull_back(tracked, deltas).to(run.hidden.dtype)
        by_layer, embedded = pull_back(tracked, run, hidden_deltas, again=True)
        for n, (a, delta) in enumerate(zip(run.inputs, by_layer, strict=True)):
            found.blocks[n][k].addmm_(delta.flatten(0, -2).T, a.flatten(0, -2))
        for i, total in enumerate(found.blocks[len(tracked.linear) :]):
            if tracked.tied or i == 1:
                total[k].addmm_(deltas.T, tracked.head_input(hidden))
            if i == 0:
                total[k].index_add_(0, batch.ids.flatten(), embedded.flatten(0, -2), alpha=tracked.embedding_scale)


def through_loss(batch: Batch, z: Tensor, tangent: Tensor) -> Tensor:
    """H (J v) at every target.    z, tangent: [n, V] logits and how they move  # [n, V]"""
    if not batch.preferences:
        p = z.softmax(dim=1)
        # H sees differences only: of those to the most probable entry, sums keep what a sure model leaves to the others
        apart = tangent - tangent.gather(1, z.argmax(dim=1, keepdim=True))
        return p * (apart - (p * apart).sum(dim=1, keepdim=True))
    _, slopes = losses_and_deltas(z.clone(), batch.labels)
    place, column = batch.is_target.nonzero(as_tuple=True)
    slopes *= torch.where(column < batch.width, 1.0, -1.0).to(slopes)[:, None]  # NLL(chosen) − NLL(rejected)
    moved = slopes.new_zeros(len(batch.members)).index_add_(0, place, (slopes * tangent).sum(dim=1))
    curved = [-of.weight(True) * of.weight(False) for of in batch.preferences]  # β² σ(βΔ) σ(−βΔ)
    return slopes * (moved * moved.new_tensor(curved))[place][:, None]
