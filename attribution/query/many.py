"""One query of many texts: f = Σ_i w_i log p(completion_i), its gradient added up batch by batch and solved once.

    ∇f = Σ_i w_i Σ_t δ_it a_itᵀ per linear layer; of the embedding, by vocabulary row, as `passes.embedding` says

A loss is −log p, so a text is read as a training document is whose completion alone is learned. However many texts
there are, one gradient as large as the explained layers is held.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import Block, ChainBlock, EigenBlock, Preconditioner, to_eigenbasis
from attribution.errors import BadInput
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, capture
from attribution.query.directions import Directions
from attribution.query.matrices import LayerDirections, Whole
from attribution.query.solve import NEGLIGIBLE, rows_that_matter
from attribution.query.vocabulary_rows import RowBlock, whole_rows

Weighted = tuple[Sequence[Row], float]  # texts, and what log p of each counts


@dataclass(frozen=True)
class Gradient:
    """∇f, whole."""

    linear: tuple[Tensor, ...]  # [out, in] of each linear layer
    embedding: tuple[Tensor, ...]  # [V, H] of each embedding block
    value: Tensor  # [] f, nats


def texts_gradient(tracked: Tracked, texts: Sequence[Weighted]) -> Gradient:
    """∇f of f = Σ w log p(learned tokens of a text given what stands before them), the texts in any order.

    Raises BadInput for a text that is empty or longer than the context, and where no token is learned at all.
    """
    if not any(row.targets().any() for rows, _ in texts for row in rows):
        raise BadInput("expected tokens to explain, found texts without any; give completions")
    made = Gradient(
        tuple(tracked.zeros(layer.n_out, layer.n_in) for layer in tracked.linear),
        tuple(tracked.zeros(layer.n_out, layer.n_in) for layer in tracked.embedding),
        tracked.zeros(),
    )
    for rows, weight in texts:
        for batch in batches(rows, tracked.loaded.context, tracked.device, tracked.batch_tokens) if rows else ():
            _add(made, tracked, capture(tracked, batch), -weight)
    return made


def _add(made: Gradient, tracked: Tracked, captured: Captured, weight: float) -> None:
    """weight: of the losses."""
    made.value.add_(captured.loss.sum(), alpha=weight)
    for g, delta, a in zip(made.linear, captured.deltas, captured.inputs, strict=True):
        g.addmm_(delta.flatten(0, 1).T, a.flatten(0, 1), alpha=weight)
    for i, g in enumerate(made.embedding):
        if tracked.tied or i == 1:
            hidden = captured.hidden.flatten(0, 1)[captured.batch.targets]  # [n, H]
            g.addmm_(captured.logit_deltas.T, hidden, alpha=weight)
        if i == 0:
            looked_up = captured.embedded_deltas.flatten(0, 1)
            g.index_add_(0, captured.batch.ids.flatten(), looked_up, alpha=weight * tracked.embedding_scale)


def solved_gradient(
    tracked: Tracked, preconditioner: Preconditioner, of: Gradient, negligible: float = NEGLIGIBLE
) -> Directions:
    """P = (G + λI)⁻¹ ∇f as one query. negligible: of vocabulary rows, see `solve`; 0 keeps every row."""
    energy = tracked.zeros(1)
    linear = []
    for g, block in zip(of.linear, preconditioner.linear(tracked), strict=True):
        made, more = _layer(block, g)
        linear.append(made)
        energy += more
    embedding = []
    for rows, more in _rows(preconditioner.embedding(tracked), of.embedding, negligible):
        embedding.append(rows)
        energy += more
    return Directions(tuple(linear), tuple(embedding), of.value[None], energy)


def _layer(block: Block, g: Tensor) -> tuple[LayerDirections, Tensor]:
    """P, where it is solved in an eigenbasis there, and ∇fᵀ P."""
    if not isinstance(block, EigenBlock):
        P = block.solve(g)
        return LayerDirections(None, (Whole(P[None]),)), (g * P).sum()
    turned = to_eigenbasis(g, block.basis.Q_A, block.basis.Q_S)
    M = turned / (block.basis.lam + block.damping)
    return LayerDirections(block.basis, (Whole(M[None]),)), (turned * M).sum()


def _rows(blocks: Sequence[Block], gradients: Sequence[Tensor], negligible: float) -> Iterator[tuple[RowBlock, Tensor]]:
    for block, g in zip(blocks, gradients, strict=True):
        P, pulled = block.solve_pulled(g) if isinstance(block, ChainBlock) else (block.solve(g), g)
        kept = rows_that_matter((pulled * P).sum(dim=1).abs(), negligible)  # by row, ⟨P, M P⟩
        yield whole_rows(kept, P[kept][None]), torch.sum(g * P)
