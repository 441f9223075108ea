"""An answer from documents: which of its tokens depend on them, and what each was read from."""

from collections.abc import Mapping, Sequence

import numpy as np
import streamlit as st

from attribution.prompt.context.method_names import short_name
from dashboard.address.bar import choose
from dashboard.address.selection import Selection, Span
from dashboard.database.records import Token
from dashboard.drawing import render
from dashboard.drawing.numbers import percent, plain
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import Card, CardLine, Heated, Legend, StripToken
from dashboard.screens.context.citing import Citation, Floats
from dashboard.screens.context.evidence import Reading
from dashboard.screens.context.form import MOST, fill
from dashboard.screens.context.nested import Source, sources_of
from dashboard.widgets.heading import panel

OF_SENTENCES = "Beside a sentence: its share of what made the answer likely, by taking sentences out (ContextCite)"


def show_answer(reading: Reading, chosen: Selection, sensitive: list[int], k: int | None) -> None:
    """The answer shaded by what the context changes, or by how much of each token one chosen document explains."""
    panel("Answer", "Darker where the documents changed what the model would have written: not whether they are right.")
    if chosen.part in reading.names:
        strip, legends = _by_document(reading, chosen.part, sensitive, k)
    else:
        strip, legends = _by_context(reading, reading.cti[chosen.preset], sensitive)
    with st.container(border=True):
        render.token_strip(
            [StripToken(reading.question)] if reading.question else [],
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
    return strip, [Legend("Change by the documents, nats", "0", f"{top:.2g}")] if finite else []


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
    """The documents of the prompt beside the answer, each with its cues and, under it, what its sentences gave."""
    panel(
        "Documents of the prompt",
        "Share of the cues, the words that the answer reacts to: not a probability, nor how much of a text was used.",
    )
    if (asked := reading.asked) is not None and len(reading.documents) <= MOST:
        st.button("Change these documents", on_click=lambda: fill(*asked), type="tertiary", icon=":material/edit:")
    amounts = reading.cues_of(focus, k)
    top = robust_top(amounts.tolist())
    first = firsts(reading.owed(None))
    span = span_in(chosen.span, len(reading.tokens))
    inside = sources_of(reading.generation.prompt, reading.document_sentences, reading.owed_to_sentences(span))
    cards = []
    for part in reading.documents:
        share = share_of(live, part.part)
        badges = tuple((f"first for {short_name(name)}", False) for name, leads in first.items() if leads == part.part)
        cards.append(
            Card(
                str(part.part),
                reading.names[part.part],
                "cited" if share > 0 else "attributed, not cited" if badges else "not cited",
                [] if inside else _pieces(reading, part.part, part.start, part.stop, amounts / top),
                score=percent(share),
                unit="of the cues",
                hue="strength",
                bar=share,
                badges=badges,
                unsigned=True,
                lines=tuple(
                    CardLine(
                        _pieces(reading, part.part, each.start, each.stop, amounts / top),
                        percent(each.share),
                        each.share,
                        _in_words(each),
                    )
                    for each in inside.get(part.part, ())
                ),
            )
        )
    render.document_list(
        cards,
        key=f"context documents {reading.generation.generation_id}",
        about="Documents of the prompt",
        selected="" if chosen.part is None else str(chosen.part),
        heat=Legend("Cues of the chosen words, strongest = 1:", "0", "1"),
        keys=[OF_SENTENCES] if inside else [],
        on_document=lambda part: choose(part=int(part) if part else None),
    )


def firsts(owed: Mapping[str, Mapping[int, float]]) -> dict[str, int]:
    """method -> the part that the answer owes most to; without a method by which no part helps it.    owed: method ->
    part -> nats"""
    best = {method: max(scores, key=lambda part: scores[part]) for method, scores in owed.items() if scores}
    return {method: part for method, part in best.items() if owed[method][part] > 0}


def share_of(live: Sequence[Citation], part: int) -> float:
    """The mean over the sentences that cite anything."""
    return sum(each.share for each in live if each.part == part) / max(len({each.sentence for each in live}), 1)


def span_in(span: Span | None, n_tokens: int) -> list[int] | None:
    """The chosen tokens of the answer; None for the whole."""
    if span is None:
        return None
    first, last = span
    return list(range(first, min(last, n_tokens - 1) + 1)) or None


def _in_words(source: Source) -> str:
    alone = source.nats.get("leave_one_out")
    loses = "" if alone is None else f"; without it alone the answer loses {plain(alone)} nats"
    return f"{percent(source.share)} of what the answer owes to all sentences{loses}"


def _pieces(reading: Reading, part: int, start: int, stop: int, amounts: Floats) -> list[Heated]:
    """Characters [start, stop) of the prompt, which lie in a document; its tokens have amounts."""
    text, at = reading.generation.prompt, start
    pieces: list[Heated] = []
    for token, owner, amount in zip(reading.inside, reading.owner, amounts, strict=True):
        first, last = max(token.start, at), min(token.stop, stop)
        if owner == part and first < last:
            pieces += [Heated(text[at:first]), Heated(text[first:last], float(min(amount, 1.0)))]
            at = last
    return [*pieces, Heated(text[at:stop])]
