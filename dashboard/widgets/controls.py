"""Widgets that show a field of the Selection and change it: the selection is the only truth, no widget has its own."""

from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from dashboard.address.bar import choose, selection, still
from dashboard.drawing import render

LABELS = {
    "text": "Search",
    "token": "Filter by token",
    "match": "Read as",
    "within": "Looked for",
    "size": "Size",
    "topic": "Topic",
    "source": "Source",
    "group": "Owes most to",
    "only": "Only answers that are …",
    "arranged": "Rows by",
    "search": "Search the corpus",
    "order": "Order",
    "target_set": "Target set",
    "column": "Groups by",
    "unit": "Words, answers or tokens",
    "pair": "Which sizes",
    "tail": "Side",
    "normaliser": "Scale",
    "run": "Estimator",
    "heat": "Heat",
    "heated": "Shaded by its influence on",
    "saliency": "Saliency method",
    "contrast": "What is explained",
    "effect": "What is shown of each component",
    "family": "Family",
    "aligned": "Text to compare",
    "deviations": "Sensitive tokens",
    "preset": "How cues are added up",
    "cues": "Cues that count",
}
HELP = {
    "only": "Right and wrong: against the answer that the prompt file expects. Sizes disagree: two sizes of a family "
    "wrote other words, and not all of them are right. Estimators disagree: another document stands first for the "
    "whole answer. Word for word: one passage of the training texts holds the whole answer.",
    "deviations": "A token depends on the context when leaving the documents out changes its distribution by more than "
    "the mean of the answer's tokens and so many standard deviations.",
    "cues": "Which tokens of the documents count as what a sensitive token was read from: below 0, the top per cent of "
    "their range; at 0, those above the mean; above 0, so many of the strongest.",
}
PLACEHOLDERS = {
    "text": "words of a prompt or an answer",
    "token": "press / to come here",
    "search": "words of a training document; press / to come here",
}


def text_field(name: str) -> None:
    """A line of text for a field of the selection."""
    key = _hold(name)
    st.text_input(LABELS[name], key=key, on_change=still(_take), args=(name, key), placeholder=PLACEHOLDERS[name])


def pick(name: str, options: Sequence[str], every: str, said: Callable[[str], str] = str) -> None:
    """One of `options`, which come from outside, or none: shown as the words of `every`. said: an option as words."""
    key = _hold(name)
    held = st.session_state[key]
    known = [*options, held] if held and held not in options else list(options)
    st.selectbox(
        LABELS[name],
        ["", *known],
        key=key,
        format_func=lambda value: render.option(said(value)) if value else every,
        on_change=still(_take),
        args=(name, key),
    )


def one_of(name: str, options: Mapping[str, str], quiet: bool = False, shown: str = "") -> None:
    """Exactly one of a few options of ours, in a drop-down; `shown` where the selection leaves it open."""
    key = _hold(name)
    if shown or st.session_state[key] not in options:
        st.session_state[key] = shown or next(iter(options))
    st.selectbox(
        LABELS[name],
        list(options),
        key=key,
        format_func=options.__getitem__,
        on_change=still(_take),
        args=(name, key),
        label_visibility="collapsed" if quiet else "visible",
    )


def switch(name: str, options: Mapping[str, str], quiet: bool = True, shown: str = "") -> None:
    """Exactly one of a few options of ours, side by side; `shown` where the selection's is not among them."""
    key = _hold(name)
    if shown:
        st.session_state[key] = shown
    st.segmented_control(
        LABELS[name],
        list(options),
        key=key,
        format_func=options.__getitem__,
        on_change=still(_take),
        args=(name, key),
        label_visibility="collapsed" if quiet else "visible",
    )


def several(name: str, options: Mapping[str, str]) -> None:
    """Any of a few options of ours; the selection keeps them in their order."""
    key = _hold(name)
    st.session_state[key] = list(st.session_state[key])

    def take() -> None:
        chosen = st.session_state[key] or []
        choose(**{name: tuple(each for each in options if each in chosen)})

    st.pills(
        LABELS[name],
        list(options),
        selection_mode="multi",
        key=key,
        format_func=options.__getitem__,
        on_change=still(take),
        help=HELP[name],
    )


def slide(name: str, low: float, high: float, step: float, disabled: bool = False) -> None:
    """A number between two others."""
    key = _hold(name)
    st.slider(
        LABELS[name],
        low,
        high,
        step=step,
        key=key,
        on_change=still(_take),
        args=(name, key),
        help=HELP[name],
        disabled=disabled,
    )


def _hold(name: str) -> str:
    key = f"control {name}"
    st.session_state[key] = getattr(selection(), name)
    return key


def _take(name: str, key: str) -> None:
    value = st.session_state[key]
    choose(**{name: getattr(selection(), name) if value is None else value})
