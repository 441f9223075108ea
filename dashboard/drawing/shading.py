"""What the background of an answer can show: one number per token, its scale and its legend."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.database.prompt_share import prompt_share
from dashboard.database.records import Token
from dashboard.drawing.numbers import decimals, percent, plain, signed
from dashboard.drawing.shapes import Legend


@dataclass(frozen=True)
class Shading:
    """amounts: in [-1, 1] per token, None where unknown; words: the same number as a reader would say it."""

    amounts: list[float | None]
    words: list[str]
    legend: Legend | None
    signs: list[str]


def available(tokens: Sequence[Token], strengths: Mapping[int, float]) -> list[str]:
    """Shadings for which the database holds numbers."""
    names = ["strength"] if strengths else []
    if any(math.isfinite(token.logp) for token in tokens):
        names += ["surprise", "confidence"]
    if any(prompt_share(token.bits_nothing, token.bits_full) is not None for token in tokens):
        names.append("prompt")
    return [*names, "plain"]


def shade_answer(
    name: str, tokens: Sequence[Token], strengths: Mapping[int, float], unit: str = "nats", through: str = ""
) -> Shading:
    """Shading by one of SHADES; an unknown name shades nothing. unit: of the strengths; through: the layer that they
    are of."""
    if name == "strength" and strengths:
        raw = [_finite(strengths.get(token.position)) for token in tokens]
        high = robust_top([abs(value) for value in raw if value is not None])
        places = decimals([high])
        words = ["" if value is None else f"strongest document {signed(value, places)} {unit}" for value in raw]
        passing = f" through {through}" if through else ""
        return _unsigned(raw, high, words, Legend(f"Strongest document{passing}, {unit}", "0", plain(high)))
    if name == "surprise":
        bits = [-token.logp / math.log(2) if math.isfinite(token.logp) else None for token in tokens]
        high = max(4.0, robust_top([value for value in bits if value is not None]))
        words = ["" if value is None else f"surprise {value:.2f} bits" for value in bits]
        return _unsigned(bits, high, words, Legend("Surprise, bits", "0", plain(high)))
    if name == "confidence":
        chance = [math.exp(min(token.logp, 0.0)) if math.isfinite(token.logp) else None for token in tokens]
        words = ["" if value is None else f"probability {percent(value)}" for value in chance]
        return _unsigned(chance, 1.0, words, Legend("Probability", "0 %", "100 %"))
    if name == "prompt":
        share = [prompt_share(token.bits_nothing, token.bits_full) for token in tokens]
        words = ["" if value is None else f"{percent(value)} from the prompt" for value in share]
        return _unsigned(share, 1.0, words, Legend("Share of the bits from the prompt", "0 %", "100 %"))
    return Shading([None] * len(tokens), [""] * len(tokens), None, [""] * len(tokens))


def shade_by_document(
    tokens: Sequence[Token], effects: Mapping[int, float], unit: str = "nats", through: str = ""
) -> Shading:
    """Which tokens one document helps (+) or hurts (−); a token for which it was not kept is unknown. unit: of the
    effects; through: the layer that they are of."""
    raw = [_finite(effects.get(token.position)) for token in tokens]
    high = robust_top([abs(value) for value in raw if value is not None])
    places = decimals([high])
    amounts = [None if value is None else _clip(value / high) for value in raw]
    words = ["not kept for this token" if value is None else f"{signed(value, places)} {unit}" for value in raw]
    signs = ["" if value is None or value == 0 else "+" if value > 0 else "−" for value in raw]
    passing = f" through {through}" if through else ""
    legend = Legend(f"This document{passing}, {unit}", f"−{plain(high)}", f"+{plain(high)}", signed=True)
    return Shading(amounts, words, legend, signs)


def robust_top(values: Sequence[float]) -> float:
    """Top of a scale: the largest value, but no more than 3 times the 90th percentile; 1 when all are 0."""
    finite = sorted(value for value in values if math.isfinite(value))
    if not finite or finite[-1] <= 0:
        return 1.0
    tall = finite[min(len(finite) - 1, int(0.9 * len(finite)))]
    return min(finite[-1], 3 * tall) if tall > 0 else finite[-1]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _unsigned(raw: Sequence[float | None], high: float, words: list[str], legend: Legend) -> Shading:
    amounts = [None if value is None else _clip(max(value, 0.0) / high) for value in raw]
    return Shading(amounts, words, legend, [""] * len(words))


def _clip(value: float) -> float:
    return max(-1.0, min(1.0, value))
