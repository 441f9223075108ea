"""An answer from documents: which of its tokens depend on them, and what each was read from."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from attribution.prompt.context.method_names import short_name
from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.records import Token
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import Card, Heated, Legend, StripToken
from dashboard.screens.context.citing import Citation, Floats
from dashboard.screens.context.evidence import Reading
from dashboard.widgets.heading import panel


def show_answer(reading: Reading, chosen: Selection, sensitive: list[int], k: int | None) -> None:
    """The answer shaded by what the context changes, or by how much of each token one chosen document explains."""
    panel("Answer", "How much the documents change each token's distribution: not whether they are right.")
    question = next((part for part in reading.parts if part.kind == "question"), None)
    asked = reading.generation.prompt[question.start : question.stop] if question else ""
    if chosen.part in reading.names:
        strip, legends = _by_document(reading, chosen.part, sensitive, k)
    else:
        strip, legends = _by_context(reading, reading.cti[chosen.preset], sensitive)
    with st.container(border=True):
        render.token_strip(
            [StripToken(asked)] if asked else [],
            strip,
            key=f"context strip {reading.generation.generation_id}",
            span=chosen.span if chosen.span and chosen.span[1] < len(reading.tokens) else None,
            legends=legends,
            hint="• marks tokens that depend on the documents. Choose one to see what it was read from.",
            on_span=lambda span: choose(span=span),
        )
    if reading.notices:
        render.prose(*[("note", f"Notice: {line}.") for line in reading.notices])


def _by_context(reading: Reading, cti: Floats, sensitive: list[int]) -> tuple[list[StripToken], list[Legend]]:
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
    return strip, [Legend("Change by the context, nats", "0", f"{top:.2g}")] if finite else []


def _by_document(
    reading: Reading, part: int | None, sensitive: list[int], k: int | None
) -> tuple[list[StripToken], list[Legend]]:
    shares = {token: reading.share_in(token, part, k) for token in sensitive}
    strip = [
        StripToken(
            token.text,
            shares.get(i),
            sign="•" if i in shares else "",
            words=f"{percent(shares[i])} of its cues in this document" if i in shares else "not a sensitive token",
        )
        for i, token in enumerate(reading.tokens)
    ]
    return strip, [Legend("Share of a token's cues in this document", "0 %", "100 %")]


def _change(token: Token, cti: float) -> str:
    if not np.isfinite(cti):
        return ""
    js = "" if token.js_context is None else f", Jensen–Shannon {token.js_context:.2f}"
    return f"{cti:.2f} nats from the context{js}"


def show_documents(
    reading: Reading, chosen: Selection, focus: list[int], k: int | None, live: Sequence[Citation]
) -> None:
    """The documents of the prompt beside the answer, each with its cues."""
    panel("Documents of the prompt", "Share of the kept cues: not a probability, and not how much of a text was used.")
    amounts = reading.cues_of(focus, k)
    top = robust_top(amounts.tolist())
    first = {name: max(scores, key=lambda part: scores[part]) for name, scores in reading.owed(None).items() if scores}
    cards = []
    for part in reading.documents:
        share = share_of(live, part.part)
        badges = tuple((f"first for {short_name(name)}", False) for name, leads in first.items() if leads == part.part)
        cards.append(
            Card(
                str(part.part),
                reading.names[part.part],
                "cited" if share > 0 else "attributed, not cited" if badges else "not cited",
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
        heat=Legend("Cues of the chosen tokens, strongest = 1:", "0", "1"),
        on_document=lambda part: choose(part=int(part) if part else None),
    )


def share_of(live: Sequence[Citation], part: int) -> float:
    """The mean over the sentences that cite anything."""
    return sum(each.share for each in live if each.part == part) / max(len({each.sentence for each in live}), 1)


def _pieces(reading: Reading, part: int, start: int, stop: int, amounts: Floats) -> list[Heated]:
    text, at = reading.generation.prompt, start
    pieces: list[Heated] = []
    for token, owner, amount in zip(reading.inside, reading.owner, amounts, strict=True):
        if owner == part and token.start >= at:
            pieces += [
                Heated(text[at : token.start]),
                Heated(text[token.start : token.stop], float(min(amount, 1.0))),
            ]
            at = token.stop
    return [*pieces, Heated(text[at:stop])]
