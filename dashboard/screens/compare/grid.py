"""The grid of Compare: rows are sizes, columns tokens, of each size's own answer or of one text for all."""

import math
from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.choices import TEXTS
from dashboard.address.selection import Selection
from dashboard.database.prompt_share import prompt_share
from dashboard.database.records import Generation, Token
from dashboard.drawing import render
from dashboard.drawing.numbers import parameters
from dashboard.drawing.shapes import SizeRow, SizeToken
from dashboard.screens.compare.comparison import Size
from dashboard.screens.compare.read_along import Reader, departures
from dashboard.widgets import controls
from dashboard.widgets.heading import panel


def show_grid(
    compared: Sequence[Size], readers: Sequence[Reader], author: Generation, selection: Selection, position: int
) -> None:
    """Both views; `readers` is empty where no size read another's text."""
    panel(
        "Token by token",
        "How sure each size is of each token, and how much of it came from the prompt: not whether it is right.",
    )
    if readers:
        controls.switch("aligned", TEXTS)
    same = bool(readers) and selection.aligned == "same"
    text = next((size.tokens for size in compared if size.generation.generation_id == author.generation_id), [])
    rows = [_reading(reader, text) for reader in readers] if same else [own_row(size) for size in compared]
    if same:
        st.caption(f"Every size reads what {render.label(author.model.name)} wrote; ≠ names what it would have said.")
    render.size_grid(
        rows,
        key=f"grid {author.prompt_id}",
        column=position,
        marker="the size would have said this instead" if same else "first token that differs from the size above",
        on_cell=lambda row, column: _chosen(compared, author, same, row, column),
    )


def _chosen(compared: Sequence[Size], author: Generation, same: bool, row: int, column: int) -> None:
    generation = author if same else compared[row].generation
    choose(generation=generation.generation_id, span=(column, column))


def own_row(size: Size) -> SizeRow:
    """Its own answer."""
    tokens = [
        SizeToken(
            token.text,
            _chance(token.logp),
            prompt_share(token.bits_nothing, token.bits_full),
            fork="departs" if token.position == size.departs else "",
            off=size.departs is not None and token.position > size.departs,
        )
        for token in size.tokens
    ]
    right = {True: "right", False: "wrong", None: ""}[size.generation.right]
    about = " · ".join(part for part in (parameters(size.generation.model.n_params), right) if part)
    return SizeRow(size.name, about, tokens)


def _reading(reader: Reader, text: Sequence[Token]) -> SizeRow:
    elsewhere = set(departures(reader, text))
    tokens = [
        SizeToken(
            token.text,
            _chance(read.logp),
            prompt_share(read.bits_nothing, read.bits_full),
            fork=(read.said_text or "end of text") if i in elsewhere else "",
        )
        for i, (token, read) in enumerate(zip(text, reader.tokens, strict=False))
    ]
    model = reader.own.model
    about = parameters(model.n_params) if tokens else f"{parameters(model.n_params)} · did not read it"
    return SizeRow(model.name, about, tokens)


def _chance(logp: float) -> float | None:
    return math.exp(logp) if math.isfinite(logp) else None
