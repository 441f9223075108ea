"""Answers as cards, some tokens of each marked: those that a document sways, and those in which a component matters."""

from collections.abc import Sequence

from dashboard.database.components.records import Mattered
from dashboard.database.span_records import SwayedSpan
from dashboard.database.unit import NATS
from dashboard.drawing.document_text import shown
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Card, Heated

PASSAGE = 400  # characters of an answer, around what is marked


def answer_cards(
    marked: Sequence[SwayedSpan | Mattered],
    amounts: Sequence[float],
    size: str,
    facts: Sequence[str] = (),
    whole: bool = False,
    unit: str = NATS,
) -> list[Card]:
    """One card an answer; its id names the answer and the tokens, its bar is relative to the strongest.

    amounts: of each, in `unit`   facts: of each, or none   whole: the answers are marked nowhere, all of each is meant
    """
    largest = max(map(abs, amounts), default=1.0) or 1.0
    places = decimals(list(amounts))
    cards = []
    for each, amount, said in zip(marked, amounts, facts or [""] * len(amounts), strict=True):
        pieces = [Heated(each.answer[: each.start]), Heated(each.token, "mark"), Heated(each.answer[each.stop :])]
        text = shown([Heated(each.answer)] if whole else pieces, PASSAGE)
        cards.append(
            Card(
                document_id=f"{each.generation_id} {_place(each)}",
                title=each.prompt[-120:],
                where=size,
                pieces=text.pieces,
                score=signed(amount, places),
                unit=unit,
                hue="warm" if amount > 0 else "cool",
                bar=amount / largest,
                facts=said,
                before=text.before,
                after=text.after,
            )
        )
    return cards


def _place(each: SwayedSpan | Mattered) -> str:
    """Tokens as an address spells them."""
    if isinstance(each, Mattered):
        return str(each.position)
    return str(each.first) if each.first == each.last else f"{each.first}-{each.last}"
