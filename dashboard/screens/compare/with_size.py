"""What changes with size: the chance of the expected answer, who is right, what the larger size learned it from."""

import math
from collections.abc import Sequence
from functools import partial

import streamlit as st

from dashboard.address.bar import choose, open_screen
from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents, influence, sizes
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.numbers import percent
from dashboard.drawing.shapes import Answer, Column, PromptRow
from dashboard.screens.compare.charts import over_sizes
from dashboard.screens.compare.charts.line import Looks
from dashboard.screens.compare.charts.over_sizes import Point
from dashboard.screens.compare.sizes.comparison import Size
from dashboard.screens.compare.sizes.learning import learned
from dashboard.widgets import controls
from dashboard.widgets.heading import panel
from indexer.corpus.verdict import says

SHOWN = 10  # prompts of a page


def show_trend(snapshot: Snapshot, compared: Sequence[Size], looks: Looks) -> None:
    """Of this prompt: how probable each size found the expected answer, and where a document says it."""
    expected = compared[0].generation.answer.strip() if compared else ""
    if not expected or len(compared) < 2:
        return
    panel(
        "The expected answer, by size",
        "How probable each size found what the prompt file expects: not how probable what it wrote.",
    )
    left, right = st.columns(2, gap="large")
    with left:
        points = chances_of(snapshot, compared)
        if not points:
            st.caption(
                f"No size wrote {render.label(expected)}, so no size was asked how probable it is: that is not known."
            )
        else:
            st.caption(f"Probability of {render.label(expected)}. Click a point to see the answer of that size.")
            render.chart(over_sizes.chances(points, looks), key="chances", on_point=_show_size)
    with right:
        places = places_of(snapshot, compared, expected)
        if all(each.value is None for each in places):
            st.caption(f"No kept document says {render.label(expected)} for what is compared here, in any size.")
        else:
            st.caption(
                f"Rank of the first document that says {render.label(expected)}, among those behind what is compared "
                "here; where a size wrote something else, behind that."
            )
            render.chart(over_sizes.ranks(places, looks), key="ranks", on_point=_show_size)
            lacking = [each.name for each in places if each.value is None]
            if lacking:
                render.prose(("note", f"No kept document of {' and '.join(lacking)} says it."))


def chances_of(snapshot: Snapshot, compared: Sequence[Size]) -> list[Point]:
    """Of every size that wrote the expected answer or read it where the smallest wrote it; [] where none did."""
    prompt_id = compared[0].generation.prompt_id
    right = [each for each in sizes.verdicts(snapshot) if each.right and each.prompt_id == prompt_id]
    known = sizes.expected_logp(snapshot, right[:1])
    found = []
    for size in compared:
        logp = known.get((prompt_id, size.generation.model.model_id))
        if logp is not None and math.isfinite(logp):
            chance = math.exp(min(logp, 0.0))
            found.append(_point(size, chance, percent(chance)))
    return found


def places_of(snapshot: Snapshot, compared: Sequence[Size], expected: str) -> list[Point]:
    """Of every size that has documents the rank of the first one that says what is expected, among those that help."""
    ids = list(dict.fromkeys(each.document_id for size in compared for each in size.ranked))
    saying = {each for each, (_, text) in documents.texts(snapshot, ids).items() if says(text, expected)}
    found = []
    for size in (each for each in compared if each.ranked):
        helping = [each for each in size.ranked if each.value > 0]
        rank = next((i for i, each in enumerate(helping, start=1) if each.document_id in saying), None)
        found.append(_point(size, rank, f"rank {rank}" if rank else f"none of the {len(helping)} kept that help"))
    return found


def _point(size: Size, value: float | None, said: str) -> Point:
    model = size.generation.model
    return Point(model.name, model.n_params, value, said, size.generation.generation_id)


def _show_size(generation_id: str) -> None:
    if generation_id:
        open_screen("explain", generation=generation_id, span=None)


def show_learned(snapshot: Snapshot, chosen: Selection) -> None:
    """The prompts that a smaller size answers wrongly and a larger one rightly, with what either rests on."""
    pairs = learned(snapshot)
    if not pairs:
        return
    panel(
        "What the larger size learned",
        "Prompts that one answers rightly and a smaller one wrongly: not all that it knows.",
    )
    names = {f"{small} {large}": (small, large) for small, large in pairs}
    pair = chosen.pair if chosen.pair in names else next(iter(names))
    if len(names) > 1:
        said = {each: f"{render.option(a)} wrong, {render.option(b)} right" for each, (a, b) in names.items()}
        controls.one_of("pair", said, quiet=True, shown=pair)
    found = pairs[names[pair]]
    n_pages = max(1, -(-len(found) // SHOWN))
    page = min(max(1, chosen.page or 1), n_pages)
    shown = found[(page - 1) * SHOWN : page * SHOWN]
    st.caption("Below each answer stands the most helpful document of all of it. Click an answer to explain it.")
    render.prose(("note", f"{len(found):,} prompt{'s' * (len(found) != 1)}."))
    small, large = names[pair]
    render.prompt_table(
        learned_rows(snapshot, shown),
        key=f"learned {pair} {page}",
        on_generation=lambda generation: open_screen("explain", generation=generation, span=None),
    )
    if n_pages > 1:
        key = f"learned page {page} of {n_pages} {pair}"
        st.pagination(n_pages, default=page, key=key, on_change=partial(_turn, key))


def _turn(key: str) -> None:
    choose(page=st.session_state[key])


def learned_rows(snapshot: Snapshot, pairs: Sequence[tuple[str, str]]) -> list[PromptRow]:
    """One row for each pair of answers to the same prompt."""
    ids = [each for pair in pairs for each in pair]
    best = influence.best_documents(snapshot, ids)
    known = {each: answers.generation(snapshot, each) for each in ids}
    turns = answers.turns_of(snapshot, list({each.prompt_id for each in known.values() if each}))
    rows = []
    for pair in pairs:
        of = [each for each in map(known.__getitem__, pair) if each]
        cells: list[Answer | None] = [
            Answer(
                each.generation_id,
                each.model.name,
                [(each.text, False)],
                each.right,
                f"← {best[each.generation_id].title or 'untitled'}"
                if each.generation_id in best
                else "no document is known",
            )
            for each in of
        ]
        if of:
            columns = [Column(each.model.name, each.model.name) for each in of]
            about = f"expected {of[0].answer}"
            rows.append(PromptRow(of[0].prompt_id, turns[of[0].prompt_id], about, columns, cells))
    return rows
