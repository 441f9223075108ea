"""Gradients of whole groups of documents, added up while the documents pass.

    G_c = Σ_{z ∈ c} ∇L(z) = Σ_{z ∈ c} Σ_t δ_t a_tᵀ

c: a cell, documents that are never told apart; groups are sums of cells. The tokens of all documents of a cell in a
batch are one product, which is added where the sum stands: no gradient of a single document is formed.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from attribution.curvature.blocks import Preconditioner, to_eigenbasis
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, batches
from attribution.passes.capture import Captured, capture

HELD = 0.3  # of the memory, for sums


class Sums:
    """Of C cells, by layer of the model."""

    def __init__(self, tracked: Tracked, n_cells: int) -> None:
        self._tracked, self.n = tracked, n_cells
        self.by_layer = [tracked.zeros(n_cells, layer.n_out, layer.n_in) for layer in tracked.layers]  # [C, out, in]

    def add(self, captured: Captured, cells: Sequence[int]) -> None:
        """The documents of a pass.    cells: of each, −1 for one that belongs to none of these

        One whose gradient is not finite is left out: it has no influence either.
        """
        finite = torch.isfinite(captured.loss) & torch.isfinite(captured.embedded_deltas.sum(dim=(1, 2)))
        of = torch.tensor(cells, device=finite.device).where(finite, torch.tensor(-1, device=finite.device))
        n_linear = len(self._tracked.linear)
        document = captured.batch.targets // captured.batch.ids.shape[1]  # [n] of every target
        for cell in of.unique().tolist():
            if cell < 0:
                continue
            mine = (of == cell).nonzero()[:, 0]
            for sums, deltas, inputs in zip(self.by_layer[:n_linear], captured.deltas, captured.inputs, strict=True):
                sums[cell].addmm_(deltas[mine].flatten(0, 1).T, inputs[mine].flatten(0, 1))
            self._add_embedding(captured, cell, mine, (of[document] == cell).nonzero()[:, 0])

    def _add_embedding(self, captured: Captured, cell: int, documents: Tensor, targets: Tensor) -> None:
        tracked = self._tracked
        if not tracked.embedding:
            return
        looked_up, head = self.by_layer[len(tracked.linear)][cell], self.by_layer[-1][cell]
        read = captured.hidden.flatten(0, 1)[captured.batch.targets[targets]]  # [m, H]
        head.addmm_(captured.logit_deltas[targets].T, read)
        ids, deltas = captured.batch.ids[documents].flatten(), captured.embedded_deltas[documents].flatten(0, 1)
        looked_up.index_add_(0, ids, deltas, alpha=tracked.embedding_scale)

    def turn(self, preconditioner: Preconditioner) -> None:
        """Linear layers into the eigenbasis, where directions meet them: Q_Sᵀ G Q_A, in place. Call it once."""
        for sums, block in zip(self.by_layer, preconditioner.eigen(self._tracked), strict=False):
            for cell in range(self.n):
                sums[cell] = to_eigenbasis(sums[cell], block.basis.Q_A, block.basis.Q_S)


def bytes_of_cell(tracked: Tracked) -> int:
    """Of its gradient."""
    return 4 * sum(layer.n_out * layer.n_in for layer in tracked.layers)


def cells_held(tracked: Tracked) -> int:
    """How many cells the memory holds at once; 0 where it does not hold one."""
    return tracked.schedule.share(HELD) // bytes_of_cell(tracked)


def add_documents(
    sums: Sums, tracked: Tracked, documents: Sequence[Row], cells: Sequence[int], tick: Callable[[int], None]
) -> None:
    """Pass documents and add them.    cells: of each; `tick(n)` after n documents"""
    for batch in batches(documents, tracked.loaded.context, tracked.device, tracked.batch_tokens):
        sums.add(capture(tracked, batch), [cells[i] for i in batch.members])
        tick(len(batch.members))
