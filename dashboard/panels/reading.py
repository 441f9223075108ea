"""An answer from documents: what depends on them, what was read from which, what each method cites."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import render
from dashboard.address_bar import choose
from dashboard.figures import percent
from dashboard.reading import Reading
from dashboard.records import Token
from dashboard.selection import Selection, Span
from dashboard.shading import Legend, robust_top
from dashboard.shapes import Card, Heated, Piece, StripToken
from indexer.refit import Citation, sentence_spans

METHODS = {"contextcite": "ContextCite", "leave_one_out": "Leave one out", "shapley": "Shapley"}


def show_answer(reading: Reading, chosen: Selection, sensitive: list[int]) -> None:
    question = next((part for part in reading.parts if part.kind == "question"), None)
    asked = reading.generation.prompt[question.start : question.stop] if question else ""
    cti = reading.cti[chosen.preset]
    finite = [float(value) for value in cti if np.isfinite(value)]
    top = robust_top(finite)
    strip = [
        StripToken(
            token.text,
            min(1.0, float(value) / top) if np.isfinite(value) else None,
            sign="•" if i in sensitive else "",
            words=_change(token, float(value)),
        )
        for i, (token, value) in enumerate(zip(reading.tokens, cti, strict=True))
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
    if reading.notices:
        render.prose(*[("note", f"Notice: {line}.") for line in reading.notices])


def _change(token: Token, cti: float) -> str:
    if not np.isfinite(cti):
        return ""
    js = "" if token.js_context is None else f", Jensen–Shannon {token.js_context:.2f}"
    return f"{cti:.2f} nats from the context{js}"


def show_citations(reading: Reading, live: Sequence[Citation]) -> None:
    st.subheader("Citations")
    st.caption("Where each sentence was read from, by its sensitive tokens. A citation is not a proof that it is true.")
    names = {part.part: part.title or f"document {i + 1}" for i, part in enumerate(reading.documents)}
    paragraphs = []
    text = reading.generation.text
    for number, (start, stop) in enumerate(sentence_spans(text)):
        cited = [each for each in live if each.sentence == number][:3]
        pieces: list[Piece] = [(text[start:stop].strip(), "serif")]
        for each in cited:
            pieces += [("  ", ""), (f"[{names.get(each.part, '?')} {percent(each.score)}]", "mark")]
        if not cited:
            pieces.append(("  no document", "muted"))
        paragraphs.append(("fact", pieces))
    render.prose(*paragraphs)


def show_agreement(reading: Reading, chosen: Selection, live: Sequence[Citation]) -> None:
    """What the answer, or the chosen span of it, owes to each document by each method; all from stored rows."""
    span = None if chosen.span is None else _span_in(chosen.span, len(reading.tokens))
    owed = reading.owed(span)
    if not owed:
        return
    st.subheader("Methods")
    if span is None:
        st.caption("What the whole answer loses without a document, in nats; MIRAGE is a share of cues.")
    else:
        st.caption("What the chosen tokens lose without a document, in nats; MIRAGE is a share of cues.")
    st.caption("Agreement between methods is a sign, not a proof.")
    rows = []
    for i, part in enumerate(reading.documents):
        row: dict[str, object] = {"Document": part.title or f"document {i + 1}"}
        row["MIRAGE, share"] = round(_share(live, part.part), 3)
        for name, scores in owed.items():
            row[METHODS.get(name, name)] = round(scores[part.part], 3)
        rows.append(row)
    render.table(pd.DataFrame(rows))


def show_documents(reading: Reading, chosen: Selection, focus: list[int], live: Sequence[Citation]) -> None:
    st.subheader("Documents of the prompt")
    amounts = reading.cues_of(focus, chosen.preset, chosen.cues)
    top = robust_top(amounts.tolist())
    first = {name: max(scores, key=lambda part: scores[part]) for name, scores in reading.owed(None).items() if scores}
    cards = []
    for part in reading.documents:
        share = _share(live, part.part)
        badges = tuple((f"first for {METHODS[name]}", False) for name, leads in first.items() if leads == part.part)
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


def _share(live: Sequence[Citation], part: int) -> float:
    """The mean over the sentences that cite anything."""
    return sum(each.score for each in live if each.part == part) / max(len({each.sentence for each in live}), 1)


def _span_in(span: Span, n_tokens: int) -> list[int] | None:
    first, last = span
    return list(range(first, min(last, n_tokens - 1) + 1)) or None


def _pieces(reading: Reading, part: int, start: int, stop: int, amounts: np.ndarray) -> list[Heated]:
    text, at = reading.generation.prompt, start
    pieces: list[Heated] = []
    for token, owner, amount in zip(reading.inside, reading.owner, amounts, strict=True):
        if owner == part and token.start >= at:
            pieces += [(text[at : token.start], None), (text[token.start : token.stop], float(min(amount, 1.0)))]
            at = token.stop
    return [*pieces, (text[at:stop], None)]
