"""A document's text with what each of its tokens carries, found in the text in their order, and the scale of it."""

from collections.abc import Sequence

from dashboard.drawing.numbers import plain
from dashboard.drawing.shapes import Heated, Legend

HEAT_OF = {"loss_influences": "learning each", "shares": "through each position"}


def heat_legend(name: str, high: float, unit: str) -> Legend:
    """Of the tokens of documents; name: of the heat; high: what is drawn in full colour, in `unit`."""
    low, top = f"−{plain(high)} away", f"+{plain(high)} towards"
    return Legend(f"Tokens of a document, {HEAT_OF[name]}, {unit}:", low, top, signed=True, top=high, unit=unit)


def heated(text: str, tokens: Sequence[str], values: Sequence[float], high: float) -> list[Heated]:
    """The text cut into (piece, value / high); together the pieces are the text, whatever the tokens.

    A special token has no place in the text and is left out; so is one that does not follow where the last one ended.
    """
    pieces: list[Heated] = []
    at = 0
    for token, value in zip(tokens, values, strict=True):
        place = text.find(token, at, at + len(token) + 2) if token else -1
        if place < 0:
            continue
        if place > at:
            pieces.append(Heated(text[at:place]))
        pieces.append(Heated(token, float(value) / high))
        at = place + len(token)
    return [*pieces, Heated(text[at:])] if at < len(text) or not pieces else pieces
