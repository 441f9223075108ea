"""Words, whole answers and verbatim spans: what the questions about several tokens of an answer are answered with."""

from collections.abc import Sequence
from dataclasses import dataclass

ANSWER = "answer"  # the kind of a span that is the whole answer; any other is a word


@dataclass(frozen=True)
class AnswerSpan:
    """Tokens of an answer that are a target of their own; span: its number among them.

    first, last: tokens, both included; start, stop: characters of the answer's text.
    """

    span: int
    kind: str
    first: int
    last: int
    start: int
    stop: int


def opening(spans: Sequence[AnswerSpan]) -> tuple[int, int] | None:
    """What an answer with these targets opens on: None for the whole of it, its first token where it is no target."""
    return None if any(each.kind == ANSWER for each in spans) else (0, 0)


def word_of(spans: Sequence[AnswerSpan], position: int) -> tuple[int, int]:
    """First and last token of the word that a token is in; the token alone where it is in none."""
    words = (each for each in spans if each.kind != ANSWER and each.first <= position <= each.last)
    return next(((each.first, each.last) for each in words), (position, position))


@dataclass(frozen=True)
class SwayedSpan:
    """Tokens of an answer that a document sways: a word, the whole answer, or a token where first = last.

    start, stop: characters of the answer; n_known: words (or tokens) of the answer for which the document's score was
    kept; rank: among the n_scored documents of that target, 0 where it was not asked for.
    """

    generation_id: str
    first: int
    last: int
    start: int
    stop: int
    token: str  # what is written there
    score: float
    n_known: int
    prompt: str
    answer: str
    rank: int = 0
    n_scored: int = 0
    logp: float = float("nan")  # of the tokens together


@dataclass(frozen=True)
class HeatedAnswer:
    """An answer for which it is stored what each token of a document carries.

    span: the number of the whole answer among its spans; None where the heat is that of n_known of the tokens
    first..last together. score, logp: of the same.
    """

    generation_id: str
    first: int
    last: int
    score: float
    n_known: int
    logp: float
    prompt: str
    answer: str
    span: int | None = None


@dataclass(frozen=True)
class VerbatimSpan:
    """Tokens first..last of an answer, both included, that stand so in the training texts: n_places in n_documents.

    places: some of them, (document, token of it where the span begins)
    """

    first: int
    last: int
    n_places: int
    n_documents: int
    places: tuple[tuple[str, int], ...]

    def meets(self, first: int, last: int) -> bool:
        """Whether it has any of these tokens."""
        return self.first <= last and first <= self.last
