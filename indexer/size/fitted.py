"""A size with its curvature: what every score needs, and the id of the run that the scores belong to."""

from dataclasses import dataclass
from functools import cached_property

from attribution.curvature.blocks import Preconditioner, damp
from attribution.curvature.factors import Factors
from attribution.curvature.stages import across_stages, held_by
from indexer.journal.stages import key
from indexer.size.member import Member
from indexer.size.terms import Term


@dataclass(frozen=True)
class Fitted:
    """Weights, documents and EK-FAC factors that belong together; a fine-tuned model stands on its parent."""

    member: Member
    factors: Factors
    parent: "Fitted | None" = None

    @cached_property
    def preconditioner(self) -> Preconditioner:
        """(G + λI)⁻¹ with λ = damping × the mean eigenvalue of each layer; of a fine-tuned model (G_ft + αI)⁻¹, with
        the mean eigenvalues that `held_by` says."""
        scores = self.member.config.scores
        of = held_by([each.factors for each in self.stages], self._preferences)
        return damp(self.factors, scores.alpha if self.member.is_finetuned else scores.damping, of=of)

    @property
    def _preferences(self) -> list[int]:
        """The stages that learned some."""
        return [s for s, each in enumerate(self.stages) if each.member.learned_pairs]

    @property
    def stages(self) -> "list[Fitted]":
        """Every stage of the training that is explained, the first one first, this model last."""
        return [*(self.parent.stages if self.parent else []), self]

    @cached_property
    def terms(self) -> list[Term]:
        """Influence as a sum of inner products: one for the documents of every stage of training."""
        asked, scores = self.member.tracked, self.member.config.scores
        if self.parent is None:
            solves = [self.preconditioner]
        else:
            factors = [each.factors for each in self.stages]
            first = scores.alpha if self.stages[0].member.is_finetuned else scores.damping
            solves = across_stages(factors, scores.alpha, first, self._preferences)
        return [
            Term(asked, solve, of.member.tracked, of.member.own_documents, of.member.n_train)
            for of, solve in zip(self.stages, solves, strict=True)
        ]

    @cached_property
    def run(self) -> str:
        """The same id means the same number for the same query and document."""
        scores = self.member.config.scores
        made_of = {"factors": self.factors.content_hash, "method": "ekfac", "damping": scores.damping}
        if self.member.is_finetuned:
            made_of |= {"parent": self.parent.run if self.parent else "", "alpha": scores.alpha}
        if self.member.learned_pairs and self.parent:
            made_of["alpha of"] = "parent"
        return key(base=self.member.base_key, **made_of)
