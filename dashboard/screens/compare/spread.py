"""How influence is spread at what is compared: small against large, beside random documents, over words and layers."""

from collections.abc import Sequence

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.address.bar import open_screen
from dashboard.database.layer_groups import group_scores
from dashboard.database.queries import documents, influence, spans
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.screens.compare.charts import at_a_place
from dashboard.screens.compare.charts.line import Looks
from dashboard.screens.compare.sizes.comparison import TOP, Size
from dashboard.screens.compare.sizes.places import Place
from dashboard.widgets.heading import panel

COLUMNS = 14  # words of the map; of a longer answer those around what is compared


def show_spread(snapshot: Snapshot, compared: Sequence[Size], looks: Looks) -> None:
    """A document's share in the smallest size against the larger ones, and every kept document beside random ones."""
    scored = [size for size in compared if size.top]
    if not scored:
        return
    panel(
        "Shares, and what chance gives",
        "Parts of what each size's documents carry: not how much any of them would change the answer.",
    )
    ids = list(dict.fromkeys(each.document_id for size in scored for each in size.ranked))
    titles = {each: found.title for each, found in documents.documents(snapshot, ids).items()}
    left, right = st.columns(2, gap="large")
    if len(scored) > 1:
        with left:
            st.caption(
                "A document's share of what the ten carry, in the smallest size and in each larger one: on the dotted "
                "line both lean on it alike. Click a point to open its document."
            )
            shares = at_a_place.shares(scored[0], scored[1:], titles, looks)
            render.chart(shares, key="shares", on_point=_open)
    with right if len(scored) > 1 else left:
        st.caption(
            "Every document that was kept, and below each size random ones: what stands among them may be chance. "
            "Click a point to open its document."
        )
        render.chart(at_a_place.distribution(scored, titles, looks), key="distribution", on_point=_open)


def show_heat(snapshot: Snapshot, compared: Sequence[Size], looks: Looks) -> None:
    """Which layers each word of each size passes through."""
    column = max((size.columns.index(size.place) for size in compared if size.place), default=0)
    first = max(0, column - COLUMNS // 2)
    found = []
    for size in compared:
        columns = size.columns[first : first + COLUMNS]
        shares = block_shares(snapshot, size, columns)
        if np.isfinite(shares).any():
            found.append((size, [each.text or "end" for each in columns], shares))
    if not found:
        return
    panel(
        "Layers, word by word",
        "Which blocks the influence on each word passes through: not where a size keeps the fact.",
    )
    chart, top = at_a_place.depth_heat(found, looks, column - first)
    st.caption(
        "Share of the ten documents' influence, attention and MLP of a block together, for each size's own "
        f"words. Full colour is {percent(top)}; what is missing to 100 % passes through the embedding. The frame is "
        "around what is compared."
    )
    render.chart(chart, key="layers by word")


def block_shares(snapshot: Snapshot, size: Size, columns: Sequence[Place]) -> NDArray[np.float64]:
    """[blocks, columns] share of the ten documents' absolute influence by layer group that passes through a block; NaN
    where nothing is stored."""
    of = (size.run_id, size.generation.generation_id)
    of_spans = spans.top_layers(snapshot, *of, TOP) if any(each.exact for each in columns) else {}
    of_tokens = influence.top_layers(snapshot, *of, TOP) if not all(each.exact for each in columns) else {}
    n_layers = sum(len(group.members) for group in size.groups)
    n_blocks = max((group.depth for group in size.groups if group.kind != "embedding"), default=-1) + 1
    shares = np.full((n_blocks, len(columns)), np.nan)
    for j, each in enumerate(columns):
        tokens = [of_tokens.get(i) for i in range(each.first, each.last + 1)]
        layers = [of_spans.get(each.exact.span)] if each.exact else tokens
        known = [one for one in layers if one is not None and one.size == n_layers]
        if not known or len(known) < len(layers):
            continue
        amounts = np.abs(group_scores(size.groups, np.sum(known, axis=0)))
        if amounts.sum() > 0:
            shares[:, j] = 0.0
            for group, amount in zip(size.groups, amounts / amounts.sum(), strict=True):
                if group.kind != "embedding":
                    shares[group.depth, j] += amount
    return shares


def _open(document_id: str) -> None:
    if document_id:
        open_screen("corpus", document=document_id)
