"""The answer as a strip of tokens: what may be clicked, and what its background shows."""

import math
from collections.abc import Sequence

import streamlit as st

from attribution.prompt.saliency.method import label, methods
from dashboard.address.bar import choose, still
from dashboard.address.choices import SHADES
from dashboard.address.selection import Selection, Span
from dashboard.database.prompt_looks import part_of, prompt_looks
from dashboard.database.records import Token
from dashboard.database.span_records import ANSWER, AnswerSpan, VerbatimSpan
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.numbers import signed as with_sign
from dashboard.drawing.shading import Shading, available, robust_top, shade_answer, shade_by_document
from dashboard.drawing.shapes import Legend, StripToken
from dashboard.drawing.visible import visible_token
from dashboard.screens.explain.copies import copied_tokens, counted
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets import controls

UNDERLINED = "word for word in a training text"
WORDS_HINT = "Click a word to see where it comes from; click again for a token inside it, Shift-click for a span."
TOKENS_HINT = "Choose a token to see where it comes from. Shift-click extends to a span."
DOCUMENT = "document"  # a shading that is there while a document is chosen
STEPS = (
    "The documents below are those of the whole answer. Click a word for its own; click again for a token inside it.",
    "Click a document: the answer is then shaded by what this document helps and hurts.",
    "Compare shows what every size wrote here; Ask takes a text of yours.",
)


def show_answer(found: Explanation, selection: Selection) -> None:
    """The strip. A selected document takes its background over, until it is let go."""
    shading = shading_of(found, selection)
    words = [(each.first, each.last) for each in found.spans if each.kind != ANSWER]
    prompt, prompt_legend = prompt_strip(found, selection)
    render.token_strip(
        prompt,
        answer_strip(found.tokens, shading, found.verbatim or ()),
        key="strip",
        span=None if found.whole else found.span,
        legends=[legend for legend in (prompt_legend, shading.legend) if legend],
        hint=WORDS_HINT if words else TOKENS_HINT,
        words=words,
        chosen=chosen_note(found),
        steps=STEPS,
        underlined=UNDERLINED,
        on_span=_span_chosen,
    )
    if found.run is not None and not found.spans:
        st.caption("Words and whole answers were not scored by this estimator, so an answer opens on its first token.")


def chosen_note(found: Explanation) -> str:
    """What is said of the chosen tokens together; '' of a single one, which says it itself."""
    if not found.tokens or (found.width == 1 and not found.whole):
        return ""
    of = found.tokens[found.span[0] : found.span[1] + 1]
    kind = "the whole answer" if found.whole else "the word" if found.exact else f"{found.width:,} tokens together"
    logp = sum(token.logp for token in of)
    return f"{kind}, probability {percent(math.exp(logp))}" if math.isfinite(logp) else kind


def offer_targets(found: Explanation) -> None:
    """Buttons: the word around the chosen token, and the whole answer, where they are targets of their own."""
    word = word_around(found)
    if word is None and (found.whole or not found.spans):
        return
    if word is not None:
        words, span = found.generation.text[word.start : word.stop], (word.first, word.last)
        st.button(
            render.label(f"The word “{words}”"),
            on_click=still(lambda: choose(span=span)),
            type="tertiary",
            icon=":material/match_word:",
        )
    if not found.whole:
        st.button(
            "The whole answer",
            on_click=still(lambda: choose(span=None)),
            type="tertiary",
            icon=":material/subject:",
        )


def word_around(found: Explanation) -> AnswerSpan | None:
    """The word of several tokens that the chosen ones are a part of."""
    if found.whole or found.exact is not None:
        return None
    first, last = found.span
    words = [each for each in found.spans if each.kind != ANSWER and each.first < each.last]
    return next((each for each in words if each.first <= first and last <= each.last), None)


def shading_of(found: Explanation, selection: Selection) -> Shading:
    """What the background shows: the effects of the selected document, or what the analyst chose; of a chosen layer
    what passes through it."""
    through = visible_token(found.layer.label) if found.layer else ""
    if selection.document and found.effects:
        return shade_by_document(found.tokens, found.effects, found.effect_unit, through)
    return shade_answer(_shade(found, selection), found.tokens, found.strengths, found.token_unit, through)


def answer_strip(tokens: list[Token], shading: Shading, verbatim: Sequence[VerbatimSpan] = ()) -> list[StripToken]:
    """verbatim: what stands so in training texts; its tokens are underlined."""
    signed = bool(shading.legend and shading.legend.signed)
    copied = copied_tokens(verbatim)
    rows = zip(tokens, shading.amounts, shading.signs, shading.words, strict=True)
    return [
        StripToken(
            token.text,
            amount,
            signed,
            sign,
            _words(token, words, copied.get(i)),
            copied=i in copied,
            unknown=amount is None and shading.legend is not None,
        )
        for i, (token, amount, sign, words) in enumerate(rows)
    ]


def prompt_strip(found: Explanation, selection: Selection) -> tuple[list[StripToken], Legend | None]:
    """The prompt's tokens, shaded by their saliency for the chosen tokens when it is stored."""
    tokens = found.prompt_tokens
    if not tokens:
        return [StripToken(found.generation.prompt)], None
    raw = [found.saliency.get(token.position) for token in tokens]
    known = [abs(value) for value in raw if value is not None]
    looks = prompt_looks(found.generation.kind, tokens, found.parts)
    if not known:
        return [StripToken(token.text, **looks[token.position]) for token in tokens if token.stop > token.start], None
    high = robust_top(known)
    if selection.part is not None and len(found.parts) > 1:  # a chosen part keeps its colours, the others lose theirs
        raw = [
            value if part_of(found.parts, token) == selection.part else None
            for token, value in zip(tokens, raw, strict=True)
        ]
    signed = any(value is not None and value < 0 for value in raw)
    strip = [
        StripToken(
            token.text,
            None if value is None else max(-1.0, min(1.0, value / high)),
            signed,
            "",
            "" if value is None else f"saliency {with_sign(value / high, 2)} of the strongest",
            **looks[token.position],
        )
        for token, value in zip(tokens, raw, strict=True)
        if token.stop > token.start
    ]
    return strip, Legend(
        "Prompt saliency, as a part of the strongest token's", "−1" if signed else "0", "+1" if signed else "1", signed
    )


def _words(token: Token, words: str, copied: VerbatimSpan | None) -> str:
    said = [words] if words else []
    if math.isfinite(token.logp) and "probability" not in words:
        said.append(f"probability {percent(math.exp(token.logp))}")
    if copied is not None:
        n_tokens = copied.last - copied.first + 1
        said.append(f"one of {n_tokens:,} tokens word for word {counted(copied.n_places, copied.n_documents)}")
    return ", ".join(said)


def choose_shading(found: Explanation, selection: Selection) -> None:
    """What the background of the answer shows: while a document is chosen its effects, until another one is."""
    names = available(found.tokens, found.strengths)
    by_document = bool(selection.document and found.effects)
    shown = DOCUMENT if by_document else _shade(found, selection)
    labels = {name: SHADES[name] for name in names} | ({DOCUMENT: "This document"} if by_document else {})
    st.session_state["shade"] = shown

    def changed() -> None:
        taken = st.session_state["shade"]
        if taken not in (None, DOCUMENT):
            choose(shade=taken, document="")

    st.segmented_control(
        "Background of the answer", list(labels), key="shade", format_func=labels.__getitem__, on_change=still(changed)
    )


def choose_saliency(found: Explanation) -> None:
    """By which method the prompt is shaded."""
    if found.saliency_methods:
        names = {name: label(name) if name in methods() else render.option(name) for name in found.saliency_methods}
        with st.container(width=330):
            controls.one_of("saliency", names, shown=found.saliency_method)


def _shade(found: Explanation, selection: Selection) -> str:
    names = available(found.tokens, found.strengths)
    return selection.shade if selection.shade in names else names[0]


def _span_chosen(span: Span | None) -> None:
    choose(span=span)
