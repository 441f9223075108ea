"""The card of a training document with its influence. No widget here."""

from collections.abc import Sequence

import numpy as np

from dashboard.database.ranking import among_random
from dashboard.database.records import StoredDocument
from dashboard.drawing.document_text import Drawn
from dashboard.drawing.numbers import signed
from dashboard.drawing.shapes import Card
from dashboard.widgets.as_trained import Badge, pair_badge, seen_badge, unread_notice, windows_badge


def scored_card(
    document: StoredDocument,
    text: Drawn,
    value: float,
    *,
    top: float,
    places: int,
    unit: str,
    facts: str = "",
    badges: Sequence[Badge] = (),
    unheated: bool = False,
) -> Card:
    """value: its influence, in `unit`; top: the largest size of the list, to which its bar is relative; places: of the
    value; unheated: what its tokens carry was not computed."""
    return Card(
        document_id=document.document_id,
        title=document.title,
        where=document.where,
        pieces=text.pieces,
        score=signed(value, places),
        unit=unit,
        hue="warm" if value >= 0 else "cool",
        bar=value / top,
        facts=facts,
        badges=(*pair_badge(document), *seen_badge(document), *windows_badge(text), *badges),
        before=text.before,
        after=text.after,
        notice=unread_notice(text),
        unheated=unheated,
    )


def random_badge(score: float, null_scores: np.ndarray) -> tuple[Badge, ...]:
    """How a score stands among those of random documents; none where there are no such."""
    against = among_random(score, null_scores)
    return ((against, against.startswith("stronger")),) if against else ()


def lost(document_id: str) -> StoredDocument:
    """In the place of a document that the database names and does not hold."""
    return StoredDocument(document_id, "", f"document {document_id}", "", "", "The text is not in this database.")
