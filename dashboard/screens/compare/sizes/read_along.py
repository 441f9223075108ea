"""All sizes on one text: what each would have said at every token of what one of them wrote. No widget here."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.database.queries import answers, sizes
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Generation, ReadToken, Token


@dataclass(frozen=True)
class Reader:
    """One size at the tokens of `author`'s text: [] where it did not read it. `own`: its answer to the same prompt."""

    own: Generation
    tokens: list[ReadToken]
    agrees_until: int  # its own answer holds the same tokens before this position, so its documents explain them


def read_along(snapshot: Snapshot, author: Generation, siblings: Sequence[Generation]) -> list[Reader]:
    """Every size on the text of `author`; the author itself reads what it said."""
    stored = sizes.readings(snapshot, author.generation_id)
    text = answers.tokens(snapshot, author.generation_id)
    readers = []
    for sibling in siblings:
        own = answers.tokens(snapshot, sibling.generation_id)
        found = stored.get(sibling.model.model_id, [])
        if not found and sibling.generation_id == author.generation_id:
            found = [_itself(token) for token in text]
        readers.append(Reader(sibling, found, _agreement(own, text)))
    return readers


def departures(reader: Reader, text: Sequence[Token]) -> list[int]:
    """Positions at which the size would have said something else."""
    return [i for i, (read, token) in enumerate(zip(reader.tokens, text, strict=False)) if read.said_text != token.text]


def _itself(token: Token) -> ReadToken:
    return ReadToken(token.position, token.logp, token.text, token.logp, token.bits_nothing, token.bits_full)


def _agreement(own: Sequence[Token], text: Sequence[Token]) -> int:
    pairs = enumerate(zip(own, text, strict=False))
    return next((i for i, (a, b) in pairs if a.text != b.text), min(len(own), len(text)))
