"""The sentences of an answer, by the end marks that its tokens carry: enough to say which sentence a token is in."""

import re
from collections.abc import Sequence

from dashboard.records import Token

_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s|$)|[。！？؟۔]+|\n+")


def sentence_of(tokens: Sequence[Token], text: str) -> dict[int, int]:
    """position -> number of its sentence, from 0; a token belongs where its first visible character stands."""
    ends = [match.end() for match in _END.finditer(text)]
    found = {}
    for token in tokens:
        start = token.start + len(token.text) - len(token.text.lstrip())
        number = sum(end <= start for end in ends)
        found[token.position] = min(number, max(len(ends) - 1, 0)) if start >= len(text.rstrip()) else number
    return found


def sentences(text: str) -> list[str]:
    """The sentences of the text, stripped; together they hold all of its words."""
    pieces, at = [], 0
    for match in _END.finditer(text):
        pieces.append(text[at : match.end()].strip())
        at = match.end()
    pieces.append(text[at:].strip())
    return [piece for piece in pieces if piece]
