"""A line of what `select` writes."""

from dataclasses import asdict, dataclass
from typing import Any

KEEP, DROP, LOOK = "keep", "drop", "look"


@dataclass(frozen=True)
class Line:
    """A document, or a text that was not trained on, and what to do with it."""

    verdict: str  # keep, drop, look
    rank: int  # 1 = most positive; of all documents, or of the candidates
    score: float | None  # influence on the set, nats; None: it was estimated only
    estimate: float | None  # of the gradient index, nats; None of a candidate
    above: float | None  # share of random documents of the corpus that score less; None where nothing was scored
    reason: str  # why it is to be looked at; "" of all others
    document_id: str  # of a candidate: the id that it would have
    title: str
    source: str
    topic: str
    text: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in the file."""
        return asdict(self)
