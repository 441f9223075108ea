"""Sums of gradients and directions: influence is linear, so a group of any size costs one inner product for a query.

⟨P_q, Σ_{z ∈ c} ∇L(z)⟩ = Σ_layers ⟨M_q, Q_Sᵀ G_c Q_A⟩ + ⟨P_q, G_c⟩ of the embedding's rows that matter to q
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from attribution.curvature.blocks import EigenBlock, Preconditioner
from attribution.groups.sums import Sums
from attribution.model.tracked import Tracked
from attribution.query.directions import Directions
from attribution.query.matrices import LayerDirections
from attribution.schedule import Schedule, pieces

FORMED = 0.1  # of the memory, for rows of directions and of sums

ByLayer = Sequence[Tensor]  # of some cells, in order: turned sums of every layer  # [C, out, in]; perhaps on the host


def cell_products(
    tracked: Tracked, preconditioner: Preconditioner, directions: Directions, cells: Sequence[ByLayer]
) -> Tensor:
    """⟨P_q, G_c⟩ of all cells, float64  # [Q, C]

    preconditioner: in whose eigenbasis the sums stand   cells: those of each file, one after the other
    """
    n_cells = [len(of[0]) for of in cells]
    out = torch.zeros(directions.n, sum(n_cells), dtype=torch.float64, device=tracked.device)
    for n, (of, block) in enumerate(zip(directions.linear, preconditioner.eigen(tracked), strict=True)):
        for queries, start, stop, P in _rows(of, block, sum(n_cells), tracked.schedule):
            _add(out[queries], P, [each[n][:, start:stop] for each in cells])
    for i, matter in enumerate(directions.embedding):
        n = len(tracked.linear) + i
        step = _step((directions.n + sum(n_cells)) * matter.width, tracked.schedule)
        for some in pieces(len(matter.rows), 1, step):
            rows = matter.rows[some]
            P = matter.between(some.start, some.start + len(rows)).flatten(1)  # [Q, r · H]
            _add(out, P, [each[n][:, rows.to(each[n].device)] for each in cells])
    return out


def cells_of(sums: Sums) -> list[ByLayer]:
    """Sums that are held, as `cell_products` takes them."""
    return [sums.by_layer]


def _add(out: Tensor, P: Tensor, cells: Sequence[Tensor]) -> None:
    """out[q, c] += ⟨P_q, G_c⟩ of some rows.    P: [Q, n]   cells: [C, r, in] each"""
    first = 0
    for rows in cells:
        out[:, first : first + len(rows)] += P @ rows.flatten(1).to(P.device).T
        first += len(rows)


def _rows(
    of: LayerDirections, block: EigenBlock, n_cells: int, schedule: Schedule
) -> Iterator[tuple[slice, int, int, Tensor]]:
    """Queries, and rows start … stop of their directions in the eigenbasis  # [k, (stop − start) · in]"""
    n_out, n_in = of.shape
    if of.basis is not None and of.basis.Q_A is block.basis.Q_A and of.basis.Q_S is block.basis.Q_S:
        for some in pieces(n_out, 1, _step((of.n + n_cells) * n_in, schedule)):
            yield slice(None), some.start, min(some.stop, n_out), of.flat(some.start, some.stop)
        return
    for queries in pieces(of.n, 1, _step(3 * n_out * n_in, schedule)):
        P = of.of(queries).in_basis(block.basis)  # [k, out, in]
        for some in pieces(n_out, 1, _step((len(P) + n_cells) * n_in, schedule)):
            yield queries, some.start, min(some.stop, n_out), P[:, some].flatten(1)


def _step(numbers: int, schedule: Schedule) -> int:
    """Rows of so many numbers that are formed at once."""
    return schedule.fits(4 * numbers, FORMED)
