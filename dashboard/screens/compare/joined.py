"""The documents behind a word in every size, joined, and the layers that they pass through by relative depth."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.database.queries import documents, influence, spans
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import StoredDocument
from dashboard.drawing import render
from dashboard.drawing.document_text import drawn, shown
from dashboard.drawing.numbers import percent
from dashboard.drawing.shapes import Heated, JoinedRow
from dashboard.drawing.size_look import UNKNOWN, Look
from dashboard.screens.compare.charts import at_a_place
from dashboard.screens.compare.sizes.comparison import Size, agreements, in_its_list, joined
from dashboard.widgets.estimator import say_estimators
from dashboard.widgets.heading import panel

MOST = 12  # rows
PASSAGE = 200  # characters of a document


def show_joined(snapshot: Snapshot, compared: Sequence[Size], same: bool, looks: Mapping[str, Look]) -> None:
    """One row per document; overlap at 10 and rank-biased overlap of each pair of sizes below."""
    panel(
        "Documents behind it, joined",
        "Ranks, and shares of each size's ten: not amounts, for raw influences of two sizes are not on one scale.",
    )
    written = {size.place.text for size in compared if size.place is not None}
    if same:
        st.caption("A size is listed where its own answer holds the same tokens up to here; elsewhere it wrote others.")
    elif len(written) > 1:
        st.caption("The sizes wrote different things here, so their documents answer different questions.")
    say_estimators({size.name: size.runs for size in compared})
    ids = joined(compared)
    if not ids:
        st.caption("No influence is stored for this.")
        return
    found = documents.documents(snapshot, ids)
    passages = _passages(snapshot, compared, {each: found[each] for each in ids[:MOST] if each in found})
    rows = [
        JoinedRow(
            found[document_id], passages[document_id], [in_its_list(size, document_id, compared) for size in compared]
        )
        for document_id in passages
    ]
    render.join_table(
        rows,
        {size.name: looks.get(size.name, UNKNOWN).colour for size in compared},
        key="joined",
        on_document=lambda document_id: open_screen("corpus", document=document_id),
    )
    render.prose(
        *[
            ("note", [(f"{small} and {large}", "strong"), (f": overlap at 10 {percent(overlap)}, ", ""),
                      (f"rank-biased overlap {biased:.2f}", "")])
            for small, large, overlap, biased in agreements(compared)
        ]
    )  # fmt: skip


def _passages(snapshot: Snapshot, compared: Sequence[Size], found: Mapping[str, StoredDocument]) -> dict[str, str]:
    """Of each document what has most of its heat in the first size that has any."""
    made: dict[str, str] = {}
    for size in compared:
        if not size.ranked or size.place is None:
            continue
        of, tokenizer = (size.run_id, size.generation.generation_id), size.generation.model.tokenizer_id
        long = [each for each in found if each not in made and len(found[each].text) > PASSAGE]
        if size.place.exact is not None:
            heats = spans.span_heats(snapshot, *of, size.place.exact, tokenizer, long)
        else:
            heats = influence.heats(snapshot, *of, *size.place.span, tokenizer, long)
        read = documents.as_read(snapshot, tokenizer, list(heats))
        for document_id, heat in heats.items():
            if document_id in read and len(read[document_id]) == len(heat.shares):
                text = drawn(found[document_id], read[document_id], heat.shares.tolist(), 1.0, PASSAGE)
                made[document_id] = text.words
    return {each: made.get(each) or shown([Heated(of.text)], PASSAGE).words for each, of in found.items()}


def show_depths(compared: Sequence[Size], looks: Mapping[str, Look]) -> None:
    """Layer profiles on one axis from the first block to the last."""
    if not any(size.shares for size in compared):
        return
    panel("Layers, by depth", "Which depth the influence passes through: not where a size keeps the fact.")
    st.caption(
        "Share of the ten documents' influence by layer: MLP solid, attention dashed; 0 % is the first block, 100 % "
        "the last one. The embedding has no depth; its share is written below. Click a point to rank the documents of "
        "that size by that layer alone."
    )
    render.chart(at_a_place.depth_profiles(compared, looks), key="depths", on_point=partial(_open_layer, compared))
    embedding = [
        (size.name, share)
        for size in compared
        for group, share in zip(size.groups, size.shares, strict=bool(size.shares))
        if group.kind == "embedding"
    ]
    render.prose(
        *[("note", [(name, "strong"), (f": {percent(share)} through the embedding", "")]) for name, share in embedding]
    )


def _open_layer(compared: Sequence[Size], point: str) -> None:
    """point: generation and layer group, as in the chart; '' where a selection was lifted."""
    generation, _, layer = point.partition(" ")
    size = next((each for each in compared if each.generation.generation_id == generation), None)
    if layer and size is not None and size.place is not None:
        of = {"generation": generation} if size.generation.prompt_id else {"job": generation}  # of a new prompt
        open_screen("explain", **of, span=size.place.span, layer=layer)
