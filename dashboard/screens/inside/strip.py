"""The prompt and the answer as a strip: shaded by what the chosen head attends to from the chosen tokens."""

import math

import numpy as np

from dashboard.address.bar import choose
from dashboard.database.components.records import Floats
from dashboard.database.prompt_looks import prompt_looks
from dashboard.database.records import Token
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import Legend, StripToken
from dashboard.screens.inside.view import View


def show_strip(found: View) -> None:
    """Click a token to look into it."""
    weights = read_by(found)
    top = robust_top(weights.tolist()) if weights.size else 1.0
    prompt, answer = prompt_strip(found, weights, top), answer_strip(found, weights, top)
    legends = (
        [Legend(f"What {found.component.name} attends to", "0 %", percent(top))]
        if weights.size and found.component
        else []
    )
    render.token_strip(
        prompt,
        answer,
        key="inside strip",
        span=None if found.whole else found.span,
        legends=legends,
        hint="Choose a token to see which parts of the model make it. Shift-click extends to a span.",
        on_span=lambda span: choose(span=span),
    )


def read_by(found: View) -> Floats:
    """[prompt + answer] the share of its attention that the head gives each token; the mean over a span. [] without."""
    rows = found.attention
    n = len(found.prompt_tokens)
    if not rows or any(len(row) != n + found.span[0] + i for i, row in enumerate(rows)):
        return np.empty(0)
    weights = np.zeros(n + len(found.tokens))
    for row in rows:
        weights[: len(row)] += row / len(rows)
    return weights


def prompt_strip(found: View, weights: Floats, top: float) -> list[StripToken]:
    """The prompt's tokens; what a tokenizer adds and nobody sees keeps its place only where a head attends to it."""
    tokens = found.prompt_tokens
    if not tokens:
        return [StripToken(found.generation.prompt)]
    looks = prompt_looks(found.generation.kind, tokens, found.parts)
    return [
        StripToken(token.text, *_shade(weights, i, top), **looks.get(token.position, {}))
        for i, token in enumerate(tokens)
        if token.stop > token.start or weights.size
    ]


def answer_strip(found: View, weights: Floats, top: float) -> list[StripToken]:
    """The answer's tokens; those that were written later are read by nobody."""
    n, last = len(found.prompt_tokens), found.span[1]
    strip = []
    for i, token in enumerate(found.tokens):
        amount, signed, sign, words = _shade(weights, n + i, top) if i < last else (None, False, "", "")
        strip.append(StripToken(token.text, amount, signed, sign, ", ".join(filter(None, (words, _chance(token))))))
    return strip


def _shade(weights: Floats, i: int, top: float) -> tuple[float | None, bool, str, str]:
    if i >= weights.size:
        return None, False, "", ""
    return min(1.0, float(weights[i]) / top), False, "", f"{percent(float(weights[i]))} of the attention"


def _chance(token: Token) -> str:
    return f"probability {percent(math.exp(token.logp))}" if math.isfinite(token.logp) else ""
