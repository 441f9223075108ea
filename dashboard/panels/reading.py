"""An answer from documents: what depends on them, what was read from which, what each method cites."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import render
from dashboard.address_bar import choose
from dashboard.citing import Citation
from dashboard.figures import percent
from dashboard.reading import Reading
from dashboard.selection import Selection
from dashboard.sentences import sentences
from dashboard.shading import Legend, robust_top
from dashboard.shapes import Card, Heated, Piece, StripToken

METHODS = {"mirage": "MIRAGE", "contextcite": "ContextCite", "leave_one_out": "Leave one out", "shapley": "Shapley"}


def show_answer(reading: Reading, chosen: Selection, sensitive: list[int]) -> None:
    question = next((part for part in reading.parts if part.kind == "question"), None)
    asked = reading.generation.prompt[question.start : question.stop] if question else ""
    finite = [float(value) for value in reading.cti if np.isfinite(value)]
    top = robust_top(finite)
    strip = [
        StripToken(
            token.text,
            min(1.0, float(value) / top) if np.isfinite(value) else None,
            sign="•" if i in sensitive else "",
            words=f"{value:.2f} nats from the context" if np.isfinite(value) else "",
        )
        for i, (token, value) in enumerate(zip(reading.tokens, reading.cti, strict=True))
    ]
    with st.container(border=True):
        render.token_strip(
            [StripToken(asked)] if asked else [],
            strip,
            key=f"context strip {reading.generation.generation_id}",
            span=chosen.span if chosen.span and chosen.span[1] < len(reading.tokens) else None,
            legends=[Legend("Change by the context, nats", "0", f"{top:.2g}")] if finite else [],
            hint="• marks tokens that depend on the documents. Choose one to see what it was read from.",
            on_span=lambda span: choose(span=span),
        )


def show_citations(reading: Reading, live: Sequence[Citation]) -> None:
    st.subheader("Citations")
    st.caption("Where each sentence was read from, by its sensitive tokens. A citation is not a proof that it is true.")
    names = {part.part: part.title or f"document {i + 1}" for i, part in enumerate(reading.documents)}
    paragraphs = []
    for number, sentence in enumerate(sentences(reading.generation.text)):
        cited = [each for each in live if each.sentence == number][:3]
        pieces: list[Piece] = [(sentence, "serif")]
        for each in cited:
            pieces += [("  ", ""), (f"[{names.get(each.part, '?')} {percent(each.share)}]", "mark")]
        if not cited:
            pieces.append(("  no document", "muted"))
        paragraphs.append(("fact", pieces))
    render.prose(*paragraphs)


def show_agreement(reading: Reading, live: Sequence[Citation]) -> None:
    if not reading.stored:
        return
    st.subheader("Methods")
    st.caption("Scores by method and document, over all sentences. Agreement between methods is a sign, not a proof.")
    columns: dict[str, list[Citation]] = {"With these sliders": list(live)} | {
        METHODS.get(name, name): found for name, found in sorted(reading.stored.items())
    }
    rows = []
    for i, part in enumerate(reading.documents):
        row: dict[str, object] = {"Document": part.title or f"document {i + 1}"}
        for name, found in columns.items():
            row[name] = round(sum(each.share for each in found if each.part == part.part), 3)
        rows.append(row)
    render.table(pd.DataFrame(rows))


def show_documents(reading: Reading, chosen: Selection, focus: list[int], live: Sequence[Citation]) -> None:
    st.subheader("Documents of the prompt")
    amounts = reading.cues_of(focus, chosen.cues)
    top = robust_top(amounts.tolist())
    cards = []
    for part in reading.documents:
        share = sum(each.share for each in live if each.part == part.part) / max(
            len({each.sentence for each in live}), 1
        )
        stored = sorted(METHODS.get(name, name) for name, found in reading.stored.items() if _leads(found, part.part))
        badges = tuple((f"first for {name}", False) for name in stored)
        cards.append(
            Card(
                str(part.part),
                part.title or f"document {part.part}",
                "cited" if share > 0 else "not cited",
                _pieces(reading, part.part, part.start, part.stop, amounts / top),
                score=percent(share),
                unit="of the cues",
                hue="strength",
                bar=share,
                badges=badges,
                unsigned=True,
            )
        )
    render.document_list(
        cards,
        key=f"context documents {reading.generation.generation_id}",
        about="Documents of the prompt",
        selected="" if chosen.part is None else str(chosen.part),
        on_document=lambda part: choose(part=int(part) if part else None),
    )


def _leads(found: Sequence[Citation], part: int) -> bool:
    best: Citation | None = max(found, key=lambda each: each.share, default=None)
    return best is not None and best.part == part


def _pieces(reading: Reading, part: int, start: int, stop: int, amounts: np.ndarray) -> list[Heated]:
    text, at = reading.generation.prompt, start
    pieces: list[Heated] = []
    for token, owner, amount in zip(reading.inside, reading.owner, amounts, strict=True):
        if owner == part and token.start >= at:
            pieces += [(text[at : token.start], None), (text[token.start : token.stop], float(min(amount, 1.0)))]
            at = token.stop
    return [*pieces, (text[at:stop], None)]
