"""The answer as a strip of tokens: what may be clicked, and what its background shows."""

import math
from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose, still
from dashboard.address.choices import SHADES
from dashboard.address.selection import Selection, Span
from dashboard.database.prompt_looks import part_of, prompt_looks
from dashboard.database.records import Token
from dashboard.database.span_records import ANSWER, AnswerSpan, VerbatimSpan
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.shading import Shading, available, robust_top, shade_answer, shade_by_document
from dashboard.drawing.shapes import Legend, StripToken
from dashboard.screens.explain.copies import copied_tokens, counted
from dashboard.screens.explain.explanation import Explanation

DOUBLE = "A double click takes its word. "
UNDERLINED = "word for word in a training text"


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
        hint=f"Choose a token to see where it comes from. {DOUBLE if words else ''}Shift-click extends to a span.",
        words=words,
        underlined=UNDERLINED,
        on_span=_span_chosen,
    )
    _offer_targets(found)


def _offer_targets(found: Explanation) -> None:
    """The word around the chosen token, and the whole answer, where they are targets of their own."""
    word = word_around(found)
    if word is None and (found.whole or not found.spans):
        return
    with st.container(horizontal=True, gap="small", key="targets"):
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
    """What the background shows: the effects of the selected document, or what the analyst chose."""
    if selection.document and found.effects:
        return shade_by_document(found.tokens, found.effects, found.effect_unit)
    return shade_answer(_shade(found, selection), found.tokens, found.strengths, found.token_unit)


def answer_strip(tokens: list[Token], shading: Shading, verbatim: Sequence[VerbatimSpan] = ()) -> list[StripToken]:
    """verbatim: what stands so in training texts; its tokens are underlined."""
    signed = bool(shading.legend and shading.legend.signed)
    copied = copied_tokens(verbatim)
    rows = zip(tokens, shading.amounts, shading.signs, shading.words, strict=True)
    return [
        StripToken(token.text, amount, signed, sign, _words(token, words, copied.get(i)), copied=i in copied)
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
    if found.whole or not known:
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
            "" if value is None else f"saliency {value / high:+.2f} of the strongest",
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
    """What the background of the answer shows; choosing one lets a selected document go."""
    names = available(found.tokens, found.strengths)
    shown = _shade(found, selection)
    st.session_state["shade"] = None if selection.document and found.effects else shown
    st.segmented_control(
        "Background of the answer",
        names,
        key="shade",
        format_func=SHADES.__getitem__,
        on_change=still(lambda: choose(shade=st.session_state["shade"] or shown, document="")),
        label_visibility="collapsed",
    )


def _shade(found: Explanation, selection: Selection) -> str:
    names = available(found.tokens, found.strengths)
    return selection.shade if selection.shade in names else names[0]


def _span_chosen(span: Span | None) -> None:
    choose(span=span)
