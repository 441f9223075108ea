"""What the chosen tokens say as a training text does, and its documents that are not among the influential ones."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose, open_screen
from dashboard.address.selection import Selection
from dashboard.database.records import StoredDocument
from dashboard.drawing import render
from dashboard.drawing.document_text import shown
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Card, Heated, Piece
from dashboard.screens.explain.copies import CASES, counted, place_in
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.heading import panel

SHOWN = 5  # documents
PASSAGE = 300  # characters of each
UNSCORED = "◇ copied, not scored"


def show_copies(found: Explanation, selection: Selection) -> None:
    """The longest spans with their number of places, the four cases, and documents that the list above lacks."""
    if found.verbatim is None:
        return
    panel("Word for word", "Where words of the answer stand in a training text: not that they were learned there.")
    if not found.copies.spans:
        st.caption("None of the chosen tokens is part of a stretch that stands so in a training text.")
        return
    render.prose(*[("note", line) for line in span_lines(found)], ("note", cases_line(found)))
    cards = copied_cards(found)
    if not cards:
        return
    st.caption("With these words, and not among the documents above:")
    render.document_list(
        cards,
        key="copies",
        about="Training documents with the same words",
        selected=selection.document,
        on_document=lambda document_id: choose(document=document_id),
        on_page=lambda document_id: open_screen("corpus", document=document_id),
    )


def span_lines(found: Explanation) -> list[list[Piece]]:
    """One line a span: its words, and where they stand."""
    lines: list[list[Piece]] = []
    for each, words in zip(found.copies.spans, found.copies.words, strict=True):
        lines.append([(f"“{words}”", "serif"), (f"  {counted(each.n_places, each.n_documents)}", "muted")])
    if (rest := found.copies.n_spans - len(lines)) > 0:
        lines.append([(f"and {rest:,} shorter stretch{'es' if rest > 1 else ''}", "muted")])
    return lines


def cases_line(found: Explanation) -> str:
    """The four cases with their numbers, over the documents of the list and those with these words."""
    cases = Counter(found.copies.case(each.document_id, found.is_influential(each)) for each in found.shown)
    cases.update(case_of(found, document_id) for document_id in _others(found))
    named = [f"{case} {cases[case]:,}" for case in (*CASES.values(), UNSCORED) if case in CASES.values() or cases[case]]
    random = found.target is not None and found.target.null_scores.size > 0
    rule = "stronger than all random documents" if random else "among those shown above"
    return f"{' · '.join(named)}. Influential: {rule}."


def case_of(found: Explanation, document_id: str) -> str:
    """Of a document with the words that is not among those shown."""
    kept = next((each for each in found.ranked if each.document_id == document_id), None)
    if kept is None and document_id not in found.proposers:
        return UNSCORED
    return CASES[kept is not None and found.is_influential(kept), True]


def copied_cards(found: Explanation, most: int = SHOWN) -> list[Card]:
    """Documents with a span that the list above lacks, those with the longest one first."""
    kept = {each.document_id: each for each in found.ranked}
    scores = [found.unit.shown(kept[each].score) for each in _others(found) if each in kept]
    places = decimals(scores)
    cards = []
    for document_id in _others(found)[:most]:
        document = found.documents[document_id]
        each = kept.get(document_id)
        score = (
            f"{signed(found.unit.shown(each.score), places)} {found.unit.name}"
            if each
            else "scored, too weak to be kept"
        )
        known = each is not None or document_id in found.proposers
        words = found.copies.documents[document_id]
        text = shown(_marked(found, document, words), PASSAGE)
        cards.append(
            Card(
                document_id,
                document.title,
                document.where,
                text.pieces,
                badges=(
                    (case_of(found, document_id), False),
                    (f"contains “{words}”", True),
                    *([(score, False)] if known else []),
                ),
                before=text.before,
                after=text.after,
            )
        )
    return cards


def _others(found: Explanation) -> list[str]:
    above = {each.document_id for each in found.shown}
    return [each for each in found.copies.documents if each not in above and each in found.documents]


def _marked(found: Explanation, document: StoredDocument, words: str) -> Sequence[Heated]:
    spans = zip(found.copies.spans, found.copies.words, strict=True)
    starts = [
        (place, each.last - each.first + 1)
        for each, written in spans
        if written == words
        for document_id, place in each.places
        if document_id == document.document_id
    ]
    start, n_tokens = starts[0] if starts else (-1, 0)
    read = None if document.turns else found.read.get(document.document_id)
    place = place_in(read, document.text, words, start, n_tokens)
    if place is None:
        return [Heated(document.text)]
    begin, end = place
    return [Heated(document.text[:begin]), Heated(document.text[begin:end], "mark"), Heated(document.text[end:])]
