"""What is compared in each size: the words of its answer, the whole of it, or its tokens. No widget here."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest

from dashboard.database.records import Token
from dashboard.database.span_records import ANSWER, AnswerSpan
from indexer.tracing.spans import spans as spans_of


@dataclass(frozen=True)
class Place:
    """Tokens first..last of one size's answer, both included, and what is written there.

    exact: the target of its own that they are; None for a single token, and where the run has no such target.
    """

    first: int
    last: int
    text: str
    exact: AnswerSpan | None = None

    @property
    def span(self) -> tuple[int, int]:
        return self.first, self.last


def places(targets: Iterable[AnswerSpan], text: str, tokens: Sequence[Token], unit: str) -> list[Place]:
    """The columns of one size by `unit`: word, answer or token. A build without words has them all the same, from the
    text; tokens at the end that add no text, as one that ends the answer, are in no word and not in the answer.

    targets: words and answer that have scores of their own
    """
    if unit == "token" or not tokens:
        return [Place(token.position, token.position, token.text) for token in tokens]
    stored = {(each.kind == ANSWER, each.first, each.last): each for each in targets}
    found = spans_of(text, [(token.start, token.stop) for token in tokens])
    return [
        Place(each.first, each.last, text[each.start : each.stop].strip(), stored.get((whole, each.first, each.last)))
        for each in found
        for whole in [each.kind == ANSWER]
        if whole == (unit == "answer")
    ]


def fork(answers: Sequence[Sequence[Place]]) -> int:
    """The first column in which two sizes wrote different things; 0 where none does. An answer that ended, or that was
    cut off, before another did is no fork."""
    columns = enumerate(zip_longest(*(ended(each) for each in answers)))
    return next((i for i, column in columns if len({each.text for each in column if each}) > 1), 0)


def departures(answers: Sequence[Sequence[Place]]) -> list[int | None]:
    """Of each size the first column that differs from the size above; None where one begins with the other."""
    found: list[int | None] = [None]
    for above, below in pairwise([ended(each) for each in answers]):
        pairs = enumerate(zip(above, below, strict=False))
        found.append(next((i for i, (one, other) in pairs if one.text != other.text), None))
    return found[: len(answers)]


def column_of(columns: Sequence[Place], first: int) -> int:
    """The column that a token is in, or the last one before it."""
    return max((i for i, each in enumerate(columns) if each.first <= first), default=0)


def clicked(place: Place, unit: str, again: bool) -> tuple[str, tuple[int, int] | None]:
    """(unit, tokens) that a click on a place compares: the place; where it is compared already, as on Explain a token
    inside the word, then the whole answer, then words again, from the fork on."""
    if not again:
        return unit, place.span
    if unit == "word" and place.first < place.last:
        return "token", (place.first, place.first)
    return ("word", None) if unit == "answer" else ("answer", None)


def ended(columns: Sequence[Place]) -> list[Place]:
    """Without what ends an answer and adds no text."""
    kept = list(columns)
    while kept and not kept[-1].text:
        kept.pop()
    return kept
