"""Answers as cards, one token of each marked: those that a document sways, and those in which a component matters."""

from collections.abc import Sequence

from dashboard.database.components.records import Mattered
from dashboard.database.records import Swayed
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Card, Heated


def answer_cards(
    marked: Sequence[Swayed | Mattered], amounts: Sequence[float], size: str, facts: Sequence[str] = ()
) -> list[Card]:
    """One card an answer; its id names the answer and the token, its bar is relative to the strongest.

    amounts: nats, of each   facts: of each, or none
    """
    largest = max(map(abs, amounts), default=1.0) or 1.0
    places = decimals(list(amounts))
    return [
        Card(
            document_id=f"{each.generation_id} {each.position}",
            title=each.prompt[-120:],
            where=size,
            pieces=[Heated(each.answer[: each.start]), Heated(each.token, "mark"), Heated(each.answer[each.stop :])],
            score=signed(amount, places),
            unit="nats",
            hue="warm" if amount > 0 else "cool",
            bar=amount / largest,
            facts=said,
        )
        for each, amount, said in zip(marked, amounts, facts or [""] * len(amounts), strict=True)
    ]
