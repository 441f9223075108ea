"""The panel of heads and neurons: what sets the sizes apart inside, at one token."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.address.bar import choose, open_screen, still
from dashboard.address.selection import Selection
from dashboard.database.components.name import component_named
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import PromptToken
from dashboard.drawing import render
from dashboard.drawing.numbers import percent, plain, signed
from dashboard.drawing.shapes import Bar
from dashboard.drawing.visible import one_line
from dashboard.screens.compare.parts import STRONGEST, Parts, most_read, readers, words_of
from dashboard.widgets.heading import panel


def show_components(snapshot: Snapshot, found: Sequence[Parts], position: int, chosen: Selection) -> None:
    """A row for each size, and who reads a word; nothing where no size was split."""
    if not found:
        return
    panel("Components", "How few heads and neurons carry a token in each size: not whether they do the same.")
    st.caption(
        "Shares of the sizes of total effects; so many equal heads would be as concentrated (participation ratio). The "
        "token is decided at the depth from which on the logit lens puts it first."
    )
    render.table(pd.DataFrame([_row(each) for each in found]), key="components", height="content")
    words = words_of(snapshot, found)
    word = chosen.word if chosen.word in {each.position for each in words} else most_read(found, words)
    if word is not None:
        _show_readers(found, words, word, position)


def _row(parts: Parts) -> dict[str, object]:
    decided = "never leads" if parts.decided is None else f"{round(100 * parts.decided)} %"
    return {
        "Size": parts.size.name,
        f"Its {STRONGEST} strongest heads": f"{percent(parts.heads_share)} of {parts.n_heads:,} heads",
        "As concentrated as": f"{plain(parts.heads_even, 2)} equal heads",
        f"Its {STRONGEST} strongest neurons": f"{percent(parts.neurons_share)} of {parts.n_neurons:,} kept",
        "Decided at depth": decided,
    }


def _show_readers(found: Sequence[Parts], words: Sequence[PromptToken], word: int, position: int) -> None:
    names = {each.position: f"Who reads “{one_line(each.text)}” ({each.position})" for each in words}
    field = f"word of {found[0].size.generation.prompt_id}"
    st.session_state[field] = word
    st.selectbox(
        "Word of the prompt",
        list(names),
        key=field,
        format_func=lambda each: render.option(names[each]),
        on_change=still(lambda: choose(word=st.session_state[field])),
        label_visibility="collapsed",
    )
    st.caption("Of each size the strongest head that attends to the word most. Click a bar to look inside.")
    bars = []
    for parts, head, weight in readers(found, word):
        effect = parts.heads[head]
        said = f"{percent(weight)} of its attention, total {signed(effect, 2)} nats"
        bars.append(
            Bar(f"{parts.size.generation.generation_id} {head.key}", f"{parts.size.name}: {head.name}", weight, said)
        )

    def opened(of: str) -> None:
        generation, _, named = of.partition(" ")
        if component_named(named) is not None:
            open_screen("inside", generation=generation, span=(position, position), component=named)

    render.bar_list(
        bars,
        key="readers",
        about="; ".join(f"{bar.name}, {bar.said}" for bar in bars),
        legend=[("strength", "share of the head's attention from the token to the word")],
        unsigned=True,
        on_bar=opened,
    )
