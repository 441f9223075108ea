"""A size with the inverse of all its blocks together, and what it leaves of what was asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from attribution.curvature.blocks import ChainBlock, IdentityBlock, Preconditioner, no_curvature
from attribution.curvature.fit import draw
from attribution.errors import BadInput
from attribution.gauss_newton.products import GaussNewton
from attribution.gauss_newton.solve import WholeInverse, bytes_of_solution
from attribution.query.directions import Directions
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.size.terms import Term

Gradients = Callable[[Term, Answer, Sequence[range]], Directions]  # log p of stretches of an answer, not solved
HELD = 0.25  # of the memory, for solved queries that meet their documents together


@dataclass(frozen=True)
class Whole:
    """The only term of a size's score, and (G + D)⁻¹ of it."""

    term: Term
    inverse: WholeInverse

    @property
    def unsolved(self) -> Term:
        """The same term whose directions are the gradients ∇f themselves, in every row."""
        return replace(self.term, preconditioner=no_curvature(self.term.asked), negligible=0.0)

    def solve(self, gradients: Directions) -> tuple[Directions, Tensor]:
        """x of queries of `unsolved`, and ‖∇f − (G + D) x‖ / ‖∇f‖ of each  # [K]"""
        return self.inverse.solve(gradients)

    @property
    def held(self) -> Term:
        """The same term for whoever counts the bytes of its directions: whole matrices."""
        blocks = (ChainBlock(block, IdentityBlock(), 1.0) for block in self.term.preconditioner.blocks)
        return replace(self.term, preconditioner=Preconditioner(tuple(blocks)))

    @property
    def at_once(self) -> int:
        """Queries whose solutions are held together, one at least."""
        tracked = self.term.asked
        return tracked.schedule.fits(bytes_of_solution(tracked), HELD)


def whole_of(fitted: Fitted, tick: Callable[[int], None] = lambda n: None) -> Whole:
    """`tick(n)` after one query has met n documents of the sample. Raises BadInput for a model whose parent's documents
    are traced too: a chain of stages is not solved so."""
    member = fitted.member
    if member.parent is not None:
        raise BadInput(
            f"expected one stage of training for ekfac_cg, found {member.n_stages} of {member.entry.name}; "
            "leave out its parent, or ask with ekfac"
        )
    scores, [term] = member.config.scores, fitted.terms
    sample = draw(member.own_rows, scores.cg_documents, member.config.factors.seed)
    curvature = GaussNewton(member.tracked, sample, tick)
    return Whole(term, WholeInverse(member.tracked, fitted.preconditioner, curvature, scores.cg_steps))


@dataclass(frozen=True)
class Solving:
    """Solves what is asked, and keeps what it leaves."""

    whole: Whole
    left: list[Tensor] = field(default_factory=list)

    def ask(self, gradients: Gradients, term: Term, of: Answer, stretches: Sequence[range]) -> Directions:
        """What `gradients` asks of a term, solved."""
        assert term is self.whole.term  # noqa: S101 - there is one
        solved, residual = self.whole.solve(gradients(self.whole.unsolved, of, stretches))
        self.left.append(residual)
        return solved

    @property
    def facts(self) -> dict[str, Any]:
        """Method, settings and residuals."""
        steps, n = self.whole.inverse.steps, len(self.whole.inverse.curvature.documents)
        return {"method": "ekfac_cg", "cg_steps": steps, "cg_documents": n, "residuals": residuals(self.left)}

    @property
    def said(self) -> str:
        """The same in a sentence."""
        of = self.facts
        return (
            f"solved with all layers together: {of['cg_steps']} steps of conjugate gradients over {of['cg_documents']} "
            f"documents, which leave {max(of['residuals'], default=0):.2g} of a gradient at most"
        )


def residuals(of: Sequence[Tensor]) -> list[float]:
    """Of all queries in order, to three digits."""
    return [float(f"{value:.3g}") for value in torch.cat(list(of)).tolist()] if of else []
