"""Whole groups of documents (a source, a topic): what the questions about them are answered with."""

from dataclasses import dataclass

NO_VALUE = "(none)"  # how a group is called whose documents have no value in the column


@dataclass(frozen=True)
class GroupScore:
    """Influence of all documents of a group, nats. error: a standard error where it is estimated, None where exact.

    column_name '' is all documents of the corpus; n_documents: 0 where it is not known.
    """

    corpus: str
    column_name: str
    value: str
    n_documents: int
    score: float
    error: float | None

    @property
    def name(self) -> str:
        return self.value or NO_VALUE


@dataclass(frozen=True)
class Group:
    """All documents with one value of a column, of whatever corpus. Its key is its address: `source:WordNet`."""

    column_name: str
    value: str
    n_documents: int

    @property
    def key(self) -> str:
        return f"{self.column_name}:{self.value}"


@dataclass(frozen=True)
class Owed:
    """Influence of a group on an answer, nats, and on the words that it helps and hurts most; rank: 1 = the group of
    its column that the answer owes most to. error: as in `GroupScore`."""

    score: float
    error: float | None
    rank: int
    n_groups: int
    helped_first: int
    helped_last: int
    helped_word: str
    helped_score: float
    hurt_first: int
    hurt_last: int
    hurt_word: str
    hurt_score: float
    run_id: str = ""
    logp: float = float("nan")  # of the answer, and of these words
    helped_logp: float = float("nan")
    hurt_logp: float = float("nan")


@dataclass(frozen=True)
class Moved:
    """Tokens first..last of an answer, both included, which a group moves by `score` nats; moved: what is written
    there. error: as in `GroupScore`."""

    generation_id: str
    first: int
    last: int
    moved: str
    score: float
    error: float | None
    prompt: str
    answer: str
    logp: float = float("nan")  # of the tokens together


def moved(owed: Owed, side: str) -> tuple[str, float, float]:
    """The word that a group moves most `towards` or `away`, or either way (`both`), by how much, and its log p."""
    if side == "away" or (side == "both" and abs(owed.hurt_score) > abs(owed.helped_score)):
        return owed.hurt_word, owed.hurt_score, owed.hurt_logp
    return owed.helped_word, owed.helped_score, owed.helped_logp


@dataclass(frozen=True)
class GroupShare:
    """Part of a group in what all groups of its column push a size's answers towards; name: of the size."""

    name: str
    value: str
    share: float


def named(key: str) -> tuple[str, str]:
    """(column, value) of an address `column:value`."""
    column, _, value = key.partition(":")
    return column, value


def in_words(key: str) -> str:
    """`source: WordNet`."""
    column, value = named(key)
    return f"{column}: {value or NO_VALUE}"
