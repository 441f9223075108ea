"""A size with its curvature: what every score needs, and the id of the run that the scores belong to."""

from dataclasses import dataclass
from functools import cached_property

from attribution.curvature.blocks import Preconditioner, damp
from attribution.curvature.factors import Factors
from attribution.curvature.stages import across_stages
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
        """(G + λI)⁻¹ with λ = damping × the mean eigenvalue of each layer; of a fine-tuned model (G_ft + αI)⁻¹."""
        scores = self.member.config.scores
        return damp(self.factors, scores.damping if self.parent is None else scores.alpha)

    @cached_property
    def terms(self) -> list[Term]:
        """Influence as a sum of inner products: one for the model's own documents, one for those of its parent."""
        member, parent = self.member, self.parent
        own = Term(member.tracked, self.preconditioner, member.tracked, member.own_documents, len(member.own_documents))
        if parent is None:
            return [own]
        scores = member.config.scores
        chain = across_stages(self.factors, parent.factors, scores.alpha, scores.damping)
        far = Term(member.tracked, chain, parent.member.tracked, parent.member.own_documents, parent.member.n_train)
        return [far, own]

    @cached_property
    def run(self) -> str:
        """The same id means the same number for the same query and document."""
        scores = self.member.config.scores
        made_of = {"factors": self.factors.content_hash, "method": "ekfac", "damping": scores.damping}
        if self.parent is not None:
            made_of |= {"parent": self.parent.run, "alpha": scores.alpha}
        return key(base=self.member.base_key, **made_of)
