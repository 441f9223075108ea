"""Prompt against memory: how many bits of the chosen tokens the prompt supplied, exactly."""

import math

import streamlit as st

from dashboard.database.records import Token
from dashboard.drawing import render
from dashboard.drawing.numbers import percent, plain, two_places
from dashboard.drawing.shapes import Share
from dashboard.drawing.visible import visible_token
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.heading import panel


def show_memory(found: Explanation) -> None:
    """The stacked bar of the span; nothing when the bits were not measured."""
    tokens = [token for token in found.tokens if found.span[0] <= token.position <= found.span[1]]
    if not tokens or any(token.bits_nothing is None or token.bits_full is None for token in tokens):
        return
    nothing = sum(token.bits_nothing or 0.0 for token in tokens)
    question = sum(token.bits_question or 0.0 for token in tokens)
    documents = sum(token.bits_documents or 0.0 for token in tokens)
    full = sum(token.bits_full or 0.0 for token in tokens)
    panel(
        "Prompt against memory",
        "Bits of surprise that the prompt saved: not what the model knows, for a fact that was copied once looks like "
        "memory when it is repeated.",
    )
    st.caption(f"Without the prompt: {nothing:.2f} bits of surprise. With it: {full:.2f}.")
    shares = [
        Share(name, bits, f"{two_places(bits)} bits", hue)
        for name, bits, hue in (
            ("Question", question, "strength"),
            ("Documents", documents, "second"),
            ("Still surprising", full, "rest"),
        )
        if bits or name != "Documents"  # most prompts bring none
    ]
    words = "; ".join(f"{each.name}: {each.said}" for each in shares)
    about = f"{plain(nothing)} bits without the prompt. {words}."
    render.bit_stack(shares, key="memory", about=about, whole=f"{nothing:.2f} bits without the prompt")
    foil = tokens[0]
    if len(tokens) == 1 and foil.foil_text:
        shown = visible_token(foil.foil_text)
        pieces = [("Without the prompt, the most likely token here would be ", ""), (f"“{shown}”", "serif")]
        if math.isfinite(foil.foil_logp):
            pieces.append((f". With the prompt, that has a probability of {percent(math.exp(foil.foil_logp))}", ""))
        render.prose(("note", [*pieces, (".", "")]), *_apart(foil))


def _apart(token: Token) -> list[tuple[str, str]]:
    """How far the prompt moves the distribution of what may follow; [] where it was not measured."""
    if token.kl_context is None or token.js_context is None:
        return []
    return [
        (
            "note",
            f"The probabilities of all tokens, with the prompt and without: {plain(token.kl_context)} nats apart "
            f"(Kullback–Leibler), {plain(token.js_context)} of at most 0.693 (Jensen–Shannon).",
        )
    ]
