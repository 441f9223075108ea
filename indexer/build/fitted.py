"""A size with its curvature: what every score needs, and the id of the run that the scores belong to."""

from dataclasses import dataclass
from functools import cached_property

from attribution.factors import Factors
from attribution.preconditioner import Preconditioner, damp
from indexer.build.member import Member
from indexer.journal import key


@dataclass(frozen=True)
class Fitted:
    """Weights, documents and EK-FAC factors that belong together."""

    member: Member
    factors: Factors

    @cached_property
    def preconditioner(self) -> Preconditioner:
        """(G + λI)⁻¹ with λ = damping × the mean eigenvalue of each layer."""
        return damp(self.factors, self.member.config.scores.damping)

    @cached_property
    def run(self) -> str:
        """The same id means the same number for the same query and document."""
        scores = self.member.config.scores
        made_of = {"factors": self.factors.content_hash, "method": scores.method, "damping": scores.damping}
        return key(base=self.member.base_key, **made_of)
