"""What a text would have done to an answer: the answer shaded by it, the texts with their heat, numbers by word."""

import math
from collections.abc import Sequence

import pandas as pd

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

IN_ITS_PLACE, OLD_OUT, NEW_IN = "In its place", "Old text out", "New text in"


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
    heats = [each for _, of in _texts(made) for each in made.heat(of, first, last)]
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
    """The change in one sentence, with the two parts of it where a text stands in place of another."""
    of = f"the whole answer of {made.model}" if whole else f"“{''.join(made.tokens[first : last + 1]).strip()}”"
    shown, unit = made.shown(first, last), made.unit(first, last)
    if shown.old_out is None:
        if unit.slope is None:
            return f"This text would push {_way(shown.whole)} {of}. {unit.why}"
        nats = signed(shown.whole, decimals([shown.whole]))
        return f"One look at this text in training would change the log p of {of} by {nats} nats."
    places = decimals([shown.whole, shown.new_in, shown.old_out])
    if unit.slope is None:
        nothing = round(shown.whole, places) == 0
        does = "change nothing for" if nothing else f"push {_way(shown.whole)}"
        return (
            f"In its place, this text would {does} {of}: to take the old text out pushes {_way(shown.old_out)} it, "
            f"to put the new one in {_way(shown.new_in)} it. {unit.why}"
        )
    return (
        f"In its place, this text would change the log p of {of} by {signed(shown.whole, places)} nats: "
        f"{signed(shown.old_out, places)} for the old text out and {signed(shown.new_in, places)} for the new text in."
    )


def _way(amount: float) -> str:
    return "towards" if amount > 0 else "away from"


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
    """The answer's tokens by what the text does to each."""
    high = _top(made)
    values, unit = made.changes, made.unit(0, 0).name
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
    """The new text and, where it stands in place of one, the old that goes, each with its part of the change of the
    answer's tokens first..last, and its heat."""
    heats = {name: made.heat(of, first, last) for name, of in _texts(made)}
    high = (
        robust_top([abs(float(v)) for heat in heats.values() for v in heat]) if any(map(len, heats.values())) else 1.0
    )
    shown = made.shown(first, last)
    sums = {name: shown.new_in if given is made.given else shown.old_out or 0.0 for name, given in _texts(made)}
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


def numbers_of(made: WhatIf, *, raw: bool = False) -> pd.DataFrame:
    """The whole answer, its words, its tokens, in the unit of the page: the change and its two parts, or one number of
    each without an old text.    raw: with that change by the formula, in nats, which no retraining has calibrated"""
    spans = sorted(made.spans, key=lambda span: span.kind != ANSWER)
    parts = [("Answer" if each.kind == ANSWER else "Word", each.first, each.last) for each in spans]
    parts += [("Token", i, i) for i in range(len(made.tokens))]
    rows = []
    for what, first, last in parts:
        row = {"Part": what, "Text": "".join(made.tokens[first : last + 1]), **_amounts(made, first, last)}
        rows.append(row | {"influence_raw": made.sums(first, last)[2]} if raw else row)
    return pd.DataFrame(rows)


def _amounts(made: WhatIf, first: int, last: int) -> dict[str, float]:
    shown, unit = made.shown(first, last), made.unit(first, last).name
    if shown.old_out is None:
        return {f"Influence, {unit}": shown.whole}
    named = {IN_ITS_PLACE: shown.whole, OLD_OUT: shown.old_out, NEW_IN: shown.new_in}
    return {f"{name}, {unit}": amount for name, amount in named.items()}


def _texts(made: WhatIf) -> Sequence[tuple[str, Given]]:
    if made.before is None:
        return [("The text", made.given)]
    return [(NEW_IN, made.given), (OLD_OUT, made.before)]


def _what(made: WhatIf) -> str:
    return "influence" if made.before is None else "in its place"


def _top(made: WhatIf) -> float:
    finite = [abs(each) for each in made.changes if math.isfinite(each)]
    return robust_top(finite) if finite and max(finite) > 0 else 1.0


def _legend(made: WhatIf) -> Legend:
    high = plain(_top(made))
    unit = made.unit(0, 0).name
    name = f"Influence on each token, {unit}:" if made.before is None else f"{IN_ITS_PLACE}, each token, {unit}:"
    return Legend(name, f"−{high}", f"+{high}", signed=True)


def _span_chosen(span: Span | None) -> None:
    choose(span=span)
