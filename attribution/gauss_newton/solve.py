"""Queries solved with the whole damped matrix: (G + D) x = ∇f, over all explained blocks at once.

G: the Gauss–Newton matrix of a sample of documents (`products.py`)   D: λ of each block, as the block inverse has it

The block inverse is the preconditioner. It leaves out what layers do together; near a minimum that is much, and a few
steps of conjugate gradients put it in.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.curvature.blocks import DiagonalBlock, EigenBlock, Preconditioner
from attribution.curvature.embedding_eigenbasis import TurnedBlock
from attribution.errors import BadInput
from attribution.gauss_newton.conjugate import HELD, TOLERANCE, conjugate_gradients
from attribution.gauss_newton.products import GaussNewton
from attribution.gauss_newton.vectors import Vectors, as_directions, as_vectors
from attribution.model.tracked import Tracked
from attribution.query.directions import Directions, join_directions

MEMORY = 0.5  # of what may be held, for right-hand sides side by side and what conjugate gradients make of them


@dataclass(frozen=True)
class WholeInverse:
    """(G + D)⁻¹ at the weights of a model, as far as `steps` go."""

    tracked: Tracked
    preconditioner: Preconditioner  # fitted curvature with its damping
    curvature: GaussNewton
    steps: int
    tolerance: float = TOLERANCE

    @property
    def dampings(self) -> list[float]:
        """D, a number for each block. Raises BadInput where a block is not fitted curvature."""
        found = []
        for block in self.preconditioner.blocks:
            if not isinstance(block, EigenBlock | DiagonalBlock | TurnedBlock):
                raise BadInput(f"expected fitted curvature to precondition with, found {type(block).__name__}")
            found.append(block.damping)
        return found

    def damped(self, v: Vectors) -> Vectors:
        """(G + D) v"""
        found = self.curvature(v)
        for x, y, damping in zip(found.blocks, v.blocks, self.dampings, strict=True):
            x.add_(y, alpha=damping)
        return found

    def block_inverse(self, v: Vectors) -> Vectors:
        """What the blocks make of v, each by itself; query by query, as a block's own products are as large as it."""
        blocks = zip(self.preconditioner.blocks, v.blocks, strict=True)
        return Vectors(tuple(torch.stack([block.solve(g) for g in x]) for block, x in blocks))

    def solve(self, gradients: Directions) -> tuple[Directions, Tensor]:
        """x of each query, and ‖∇f − (G + D) x‖ / ‖∇f‖  # [K]

        gradients: ∇f, as directions without curvature and with every vocabulary row. As many queries are solved side by
        side as the memory holds, one at least.
        """
        step = self.tracked.schedule.fits(bytes_of_query(self.tracked), MEMORY)
        made, residuals = [], []
        for start in range(0, gradients.n, step):
            some = gradients.of(slice(start, start + step))
            solved = conjugate_gradients(
                self.damped, self.block_inverse, as_vectors(self.tracked, some), self.steps, self.tolerance
            )
            made.append(as_directions(self.tracked, solved.x, some.values, solved.products, self.preconditioner))
            residuals.append(solved.residual)
        return join_directions(made), torch.cat(residuals)


def bytes_of_query(tracked: Tracked) -> int:
    """That conjugate gradients hold for one query."""
    return HELD * bytes_of_solution(tracked)


def bytes_of_solution(tracked: Tracked) -> int:
    """Of one query that is solved."""
    return 4 * sum(layer.n_out * layer.n_in for layer in tracked.layers)
