"""What a text would have done to an answer: the answer shaded by it, the texts with their heat, numbers by word."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dashboard.address.bar import choose
from dashboard.address.selection import Selection, Span
from dashboard.asking.what_if import Given, WhatIf
from dashboard.database.records import StoredDocument
from dashboard.database.span_records import ANSWER
from dashboard.drawing import render
from dashboard.drawing.document_text import drawn
from dashboard.drawing.numbers import decimals, plain, signed
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import Card, Heated, Legend, StripToken
from dashboard.drawing.visible import LONGEST_TEXT
from dashboard.widgets.as_trained import reading_keys


def show_result(made: WhatIf, found: StoredDocument | None, chosen: Selection) -> None:
    """found: the document whose text was changed, or beside which one was added."""
    span = chosen.span if chosen.span and chosen.span[1] < len(made.tokens) else None
    first, last = span or (0, len(made.tokens) - 1)
    render.prose(("fact", in_words(made, first, last, whole=span is None)), *[("note", each) for each in notes(made)])
    render.token_strip(
        [StripToken(made.prompt)],
        strip(made),
        key="what if strip",
        span=span,
        legends=[_legend(made)],
        hint="Choose a token to see what the text does to it. Shift-click extends to a span.",
        on_span=_span_chosen,
    )
    cards = text_cards(made, first, last)
    heats = [each for heat in _heats(made, first, last).values() for each in heat]
    unit = made.unit(first, last).name
    high = robust_top([abs(float(each)) for each in heats]) if heats else 0.0
    low, top = f"−{plain(high)} away", f"+{plain(high)} towards"
    render.document_list(
        cards,
        key="what if texts",
        about="The texts",
        heat=Legend(f"Tokens of a text, {unit}:", low, top, signed=True, top=high, unit=unit) if high else None,
        keys=reading_keys(cards, [found] if found else []),
        on_document=lambda _: None,
    )
    render.table(numbers_of(made))


def in_words(made: WhatIf, first: int, last: int, *, whole: bool) -> str:
    """The three sums, in one sentence."""
    new, old, change = made.shown(first, last)
    unit = made.unit(first, last)
    places = decimals([new, change, old or 0.0])
    of = f"the whole answer of {made.model}" if whole else f"“{''.join(made.tokens[first : last + 1]).strip()}”"
    if unit.slope is None:
        text = "This text" if old is None else "If it said this, the document"
        return (
            f"{text} would push {'towards' if new > 0 else 'away from'} {of}{_beside(old, change, places)}. {unit.why}"
        )
    if old is None:
        return f"One look at this text in training would change the log p of {of} by {signed(new, places)} nats."
    return (
        f"The document changes the log p of {of} by {signed(old, places)} nats; if it said this, by "
        f"{signed(new, places)}: a difference of {signed(change, places)} nats."
    )


def _beside(old: float | None, change: float, places: int) -> str:
    if old is None:
        return ""
    if round(change, places) == 0:
        return ", as much as it does as it is"
    return f", {'more' if change > 0 else 'less'} towards it than it does as it is"


def notes(made: WhatIf) -> list[str]:
    """What is particular about the text and how it was read."""
    said = []
    if made.given.known:
        said.append("The model was trained on these very words already; this is one more look at them.")
    if made.given.n_cut:
        said.append(f"Training would have cut off its last {made.given.n_cut:,} tokens; they are in no number here.")
    if made.stage and made.stage != made.model:
        said.append(f"It is read as the training of {made.stage} would have read it.")
    return [*said, *made.notices]


def strip(made: WhatIf) -> list[StripToken]:
    """The answer's tokens by what the text adds to each."""
    high = _top(made)
    values, unit = made.differences, made.unit(0, 0).name
    places = decimals(values)
    return [
        StripToken(
            text,
            max(-1.0, min(1.0, value / high)) if math.isfinite(value) else None,
            True,
            "+" if value > 0 else "−" if value < 0 else "",
            f"{_what(made)} {signed(value, places)} {unit}",
        )
        for text, value in zip(made.tokens, values, strict=True)
    ]


def text_cards(made: WhatIf, first: int, last: int) -> list[Card]:
    """The new text and, where it stands in place of one, the old, with the heat for the answer's tokens first..last."""
    heats = _heats(made, first, last)
    high = (
        robust_top([abs(float(v)) for heat in heats.values() for v in heat]) if any(map(len, heats.values())) else 1.0
    )
    new, old, _ = made.shown(first, last)
    sums = {name: new if given is made.given else old or 0.0 for name, given in _texts(made)}
    top = max(map(abs, sums.values())) or 1.0
    places = decimals(sums.values())
    cards = []
    for name, given in _texts(made):
        document = StoredDocument(name, "", name, "", "", given.text)
        heat = heats[name]
        known = len(heat) == len(given.read) and len(heat) > 0
        text = drawn(document, given.read, heat.tolist(), high, LONGEST_TEXT) if known else None
        cards.append(
            Card(
                document_id=name,
                title=name,
                where=given.title,
                pieces=text.pieces if text else [Heated(given.text)],
                score=signed(sums[name], places),
                unit=made.unit(first, last).name,
                hue="warm" if sums[name] >= 0 else "cool",
                bar=sums[name] / top,
                before=text.before if text else 0,
                after=text.after if text else 0,
            )
        )
    return cards


def numbers_of(made: WhatIf) -> pd.DataFrame:
    """The whole answer, its words, its tokens, in the unit of the page; one number of each without an old text."""
    rows: list[dict[str, object]] = []
    for each in sorted(made.spans, key=lambda span: span.kind != ANSWER):
        rows.append(_row("Answer" if each.kind == ANSWER else "Word", made, each.first, each.last))
    rows += [_row("Token", made, i, i) for i in range(len(made.tokens))]
    return pd.DataFrame(rows)


def _row(what: str, made: WhatIf, first: int, last: int) -> dict[str, object]:
    new, old, change = made.shown(first, last)
    unit = made.unit(first, last).name
    amounts = (
        {f"Influence, {unit}": new}
        if old is None
        else {f"As trained, {unit}": old, f"If it said this, {unit}": new, f"Difference, {unit}": change}
    )
    return {"Part": what, "Text": "".join(made.tokens[first : last + 1]), **amounts}


def _heats(made: WhatIf, first: int, last: int) -> dict[str, NDArray[np.float64]]:
    """Of each text, what its tokens carry of the amount that its card says."""
    unit, (new, old, _) = made.unit(first, last), made.sums(first, last)
    of = {name: new if given is made.given else old or 0.0 for name, given in _texts(made)}
    return {name: unit.parts(given.heat(first, last), of[name]) for name, given in _texts(made)}


def _texts(made: WhatIf) -> Sequence[tuple[str, Given]]:
    if made.before is None:
        return [("The text", made.given)]
    return [("If it said this", made.given), ("As it was trained on", made.before)]


def _what(made: WhatIf) -> str:
    return "influence" if made.before is None else "difference"


def _top(made: WhatIf) -> float:
    finite = [abs(each) for each in made.differences if math.isfinite(each)]
    return robust_top(finite) if finite and max(finite) > 0 else 1.0


def _legend(made: WhatIf) -> Legend:
    high = plain(_top(made))
    unit = made.unit(0, 0).name
    name = f"Influence on each token, {unit}:" if made.before is None else f"Difference for each token, {unit}:"
    return Legend(name, f"−{high}", f"+{high}", signed=True)


def _span_chosen(span: Span | None) -> None:
    choose(span=span)
