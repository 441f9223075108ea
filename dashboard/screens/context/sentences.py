"""The sentences of an answer, as the indexer counts them."""

from collections.abc import Sequence

from attribution.prompt.stored import sentence_spans, token_sentences
from dashboard.database.records import Token


def sentence_of(tokens: Sequence[Token], text: str) -> dict[int, int]:
    """position -> number of its sentence, from 0; a token belongs where its first visible character stands."""
    numbers = token_sentences(text, [(token.start, token.stop) for token in tokens])
    return {token.position: number for token, number in zip(tokens, numbers, strict=True)}


def sentences(text: str) -> list[str]:
    """The sentences of the text, stripped; together they hold all of its words."""
    return [text[start:stop].strip() for start, stop in sentence_spans(text)]
