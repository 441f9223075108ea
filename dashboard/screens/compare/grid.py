"""The grid of Compare: rows are sizes, columns words or tokens, of each size's own answer or of one text for all."""

import math
from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.choices import TEXTS, UNITS
from dashboard.address.selection import Selection
from dashboard.database.prompt_share import prompt_share
from dashboard.database.records import Generation, ReadToken, Token
from dashboard.drawing import render
from dashboard.drawing.numbers import parameters
from dashboard.drawing.shapes import SizeRow, SizeToken
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.screens.compare.sizes.comparison import Size
from dashboard.screens.compare.sizes.places import Place, clicked
from dashboard.screens.compare.sizes.read_along import Reader, departures
from dashboard.widgets import controls
from dashboard.widgets.heading import panel

HINT = "Click what a size wrote to compare its documents there; click again for a token inside a word."


def show_grid(
    compared: Sequence[Size],
    readers: Sequence[Reader],
    author: Generation,
    selection: Selection,
    column: int,
    looks: Mapping[str, Look],
) -> None:
    """Both views; `readers` is empty where no size read another's text."""
    panel(
        "What each size wrote",
        "How sure each size is of what it wrote, and how much of it came from the prompt: not whether it is right.",
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        controls.switch("unit", UNITS)
        if readers:
            controls.switch("aligned", TEXTS)
    st.caption(HINT)
    same = bool(readers) and selection.aligned == "same"
    written = next((size for size in compared if size.generation.generation_id == author.generation_id), None)
    rows = []
    if same and written is not None:
        st.caption(f"Every size reads what {render.label(author.model.name)} wrote; ≠ names what it would have said.")
        rows = [_reading(reader, written, looks) for reader in readers]
    else:
        rows = [own_row(size, selection.unit, looks) for size in compared]
    render.size_grid(
        rows,
        key=f"grid {author.prompt_id}",
        column=column,
        marker="the size would have said this instead" if same else "the first one that differs from the size above",
        on_cell=lambda row, place: _chosen(compared, author, selection, same, row, place),
        what=selection.unit,
    )


def _chosen(
    compared: Sequence[Size], author: Generation, selection: Selection, same: bool, row: int, column: int
) -> None:
    size = next((each for each in compared if same and each.generation == author), compared[row])
    place = size.columns[column]
    again = size.generation == author and selection.span == place.span
    unit, span = clicked(place, selection.unit, again)
    choose(generation=size.generation.generation_id, span=span, unit=unit)


def own_row(size: Size, unit: str, looks: Mapping[str, Look]) -> SizeRow:
    """Its own answer."""
    cells = [
        SizeToken(
            _written(each, unit),
            *_measured(size.tokens[each.first : each.last + 1]),
            fork="departs" if i == size.departs else "",
            off=size.departs is not None and i > size.departs,
        )
        for i, each in enumerate(size.columns)
    ]
    right = {True: "right", False: "wrong", None: ""}[size.generation.right]
    return SizeRow(size.name, _about(size.generation, right), cells, looks.get(size.name, UNKNOWN).colour)


def _reading(reader: Reader, written: Size, looks: Mapping[str, Look]) -> SizeRow:
    elsewhere = set(departures(reader, written.tokens))
    cells = []
    for each in written.columns if len(reader.tokens) >= len(written.tokens) else ():
        read = reader.tokens[each.first : each.last + 1]
        other = next((token for token in read if token.position in elsewhere), None)
        fork = "" if other is None else other.said_text or "end of text"
        cells.append(SizeToken(each.text, *_measured(read), fork=fork))
    said = "" if reader.tokens else "did not read it"
    return SizeRow(
        reader.own.model.name, _about(reader.own, said), cells, looks.get(reader.own.model.name, UNKNOWN).colour
    )


def _written(each: Place, unit: str) -> str:
    """A token of a tokenizer's own spells nothing, and says so; an answer stands in a cell as it is."""
    return each.text or ("" if unit == "token" else " ")


def _about(of: Generation, said: str) -> str:
    return " · ".join(part for part in (parameters(of.model.n_params), said) if part)


def _measured(tokens: Sequence[Token] | Sequence[ReadToken]) -> tuple[float | None, float | None]:
    """Probability of these tokens together, and the share of their bits that the prompt saved; None where unknown."""
    logp = sum(token.logp for token in tokens)
    bits = [(token.bits_nothing, token.bits_full) for token in tokens]
    nothing, full = [a for a, _ in bits if a is not None], [b for _, b in bits if b is not None]
    whole = len(nothing) == len(full) == len(bits) > 0
    share = prompt_share(sum(nothing), sum(full)) if whole else None
    return (math.exp(min(logp, 0.0)) if tokens and math.isfinite(logp) else None), share
