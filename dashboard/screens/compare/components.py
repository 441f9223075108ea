"""The panel of heads and neurons: what sets the sizes apart inside, at what is compared."""

from collections.abc import Sequence

import pandas as pd
import streamlit as st

from dashboard.address.bar import choose, open_screen, still
from dashboard.address.selection import Selection
from dashboard.database.components.lens import seen
from dashboard.database.components.name import component_named
from dashboard.database.queries import inside
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import PromptToken
from dashboard.drawing import render
from dashboard.drawing.numbers import percent, plain, signed
from dashboard.drawing.shapes import Bar
from dashboard.drawing.visible import one_line
from dashboard.screens.compare.charts.line import Looks
from dashboard.screens.compare.sizes.comparison import Size
from dashboard.screens.compare.sizes.parts import STRONGEST, Parts, most_read, readers, words_of
from dashboard.screens.inside.charts import lens
from dashboard.widgets.heading import panel


def show_components(
    snapshot: Snapshot, found: Sequence[Parts], compared: Sequence[Size], chosen: Selection, looks: Looks
) -> None:
    """Where each size decides, a row for each size, and who reads a word; nothing where no size was split."""
    _show_lens(snapshot, compared, looks)
    if not found:
        return
    panel("Components", "How few heads and neurons carry it in each size: not whether they do the same.")
    st.caption(
        "Shares of the sizes of total effects; so many equal heads would be as concentrated (participation ratio). It "
        "is decided at the depth from which on the logit lens puts every token of it first."
    )
    render.table(pd.DataFrame([_row(each) for each in found]), key="components", height="content")
    words = words_of(snapshot, found)
    word = chosen.word if chosen.word in {each.position for each in words} else most_read(found, words)
    if word is not None:
        _show_readers(found, words, word)


def _show_lens(snapshot: Snapshot, compared: Sequence[Size], looks: Looks) -> None:
    lines = {}
    for size in compared:
        if size.place is not None:
            points = inside.lens(snapshot, size.generation.generation_id, *size.place.span)
            lines[size.name] = seen(points, size.place.last - size.place.first + 1)
    lines = {name: line for name, line in lines.items() if line}
    if not lines:
        return
    panel(
        "Where each size decides",
        "What the final norm and the head would say after each block: not what that block knows.",
    )
    st.caption(
        "Probability of what each size wrote, by depth: 0 % is after the embedding, 100 % after the last block. Of "
        "several tokens it is their geometric mean."
    )
    render.chart(lens(lines, looks), key="lens")


def _row(parts: Parts) -> dict[str, object]:
    decided = "never leads" if parts.decided is None else f"{round(100 * parts.decided)} %"
    return {
        "Size": parts.size.name,
        f"Its {STRONGEST} strongest heads": f"{percent(parts.heads_share)} of {parts.n_heads:,} heads",
        "As concentrated as": f"{plain(parts.heads_even, 2)} equal heads",
        f"Its {STRONGEST} strongest neurons": f"{percent(parts.neurons_share)} of {parts.n_neurons:,} kept",
        "Decided at depth": decided,
    }


def _show_readers(found: Sequence[Parts], words: Sequence[PromptToken], word: int) -> None:
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
        place = next((each.size.place for each in found if each.size.generation.generation_id == generation), None)
        if component_named(named) is not None and place is not None:
            open_screen("inside", generation=generation, span=place.span, component=named)

    render.bar_list(
        bars,
        key="readers",
        about="; ".join(f"{bar.name}, {bar.said}" for bar in bars),
        legend=[("strength", "share of the head's attention, from the first token of what is compared to the word")],
        unsigned=True,
        on_bar=opened,
    )
