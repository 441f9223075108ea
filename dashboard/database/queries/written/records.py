"""What the questions about one written word are answered with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Written:
    """A word, and how many answers of a size have it."""

    word: str
    n_answers: int


@dataclass(frozen=True)
class Occurrence:
    """Tokens first..last of an answer, both included, where a word is written; logp: of them together, nats."""

    generation_id: str
    prompt_id: str
    first: int
    last: int
    logp: float


@dataclass(frozen=True)
class InTexts:
    """How often the training texts of a source have a word; n_documents of all_documents have it, n_times together."""

    source: str
    n_documents: int
    n_times: int
    all_documents: int


@dataclass(frozen=True)
class Driver:
    """A document's kept scores for a word wherever a size writes it, nats; n_places of the places have one."""

    document_id: str
    score: float
    n_places: int


@dataclass(frozen=True)
class DrivingGroup:
    """Influence of a whole group of documents on a word wherever a size writes it, nats."""

    value: str
    score: float
