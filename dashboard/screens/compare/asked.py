"""A new prompt in all sizes beside each other, each as far as it is known."""

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from dashboard.address.bar import choose, still
from dashboard.address.choices import UNITS
from dashboard.address.selection import Selection
from dashboard.asking import jobs
from dashboard.asking.refused import trying
from dashboard.asking.result import AskedAnswer
from dashboard.database.layer_groups import layer_groups
from dashboard.database.queries import answers, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.size_look import Look, size_looks
from dashboard.screens.compare.grid import HINT, own_row
from dashboard.screens.compare.joined import show_depths, show_joined
from dashboard.screens.compare.sizes.comparison import Size, scored
from dashboard.screens.compare.sizes.places import Place, clicked, column_of, departures, fork, places
from dashboard.widgets import controls
from dashboard.widgets.ask_box import watch
from dashboard.widgets.asked_answer import FORGOTTEN, NOTHING, answer_of, explain_end, say_surprise
from dashboard.widgets.heading import panel
from dashboard.widgets.size_switch import sizes_of
from indexer.worker.job import Job


def show_asked(snapshot: Snapshot, chosen: Selection) -> None:
    """The question of the job that is chosen, in every size that was asked it."""
    # choose
    job = jobs.news(chosen.job)
    if job is None:
        render.problem(FORGOTTEN)
        return
    asked_of = str(job.request.get("model", ""))
    names = [each.name for each in sizes_of(answers.models(snapshot), asked_of)]
    names = names if asked_of in names else [*names, asked_of]
    asked = {name: job if name == asked_of else jobs.in_size(job, name) for name in names}

    # ask
    known = [found for each in asked.values() if each is not None and (found := answer_of(snapshot, each)) is not None]
    columns = [places(each.spans(), each.generation.text, each.tokens(), chosen.unit) for each in known]
    mine = next((of for of, each in zip(columns, known, strict=True) if each.generation.generation_id == job.id), [])
    column = column_of(mine, chosen.span[0]) if chosen.span else fork(columns)
    compared = compare_asked(snapshot, known, columns, column)
    looks = size_looks(answers.models(snapshot))

    # show
    _show_state(asked, job)
    if not compared:
        return
    render.prose(("fact", compared[0].generation.prompt))
    for each in known:
        say_surprise(each)
    _show_grid(compared, job, column, chosen, looks)
    estimated = [each.generation.model.name for each in known if each.estimated]
    if estimated:
        st.caption(render.label(f"First estimates for {', '.join(estimated)}: their exact scores are not known yet."))
    show_joined(snapshot, compared, False, looks)
    show_depths(compared, looks)


def compare_asked(
    snapshot: Snapshot, known: Sequence[AskedAnswer], columns: Sequence[list[Place]], column: int
) -> list[Size]:
    """Every size at one column of its own answer; without documents while it has none."""
    sizes: list[Size] = []
    for answer, of, departs in zip(known, columns, departures(columns), strict=True):
        groups = layer_groups(influence.layers(snapshot, answer.generation.model.model_id))
        place = of[column] if column < len(of) else None
        sizes.append(scored(Size(answer.generation, [], answer.tokens(), of, departs, groups, place), answer))
    return sizes


def _show_state(asked: Mapping[str, Job | None], job: Job) -> None:
    """What is under way, what ended early, and sizes that were not asked."""
    running = [each for each in asked.values() if each is not None and not each.ended]
    if running:
        watch(running)
    for name, each in asked.items():
        if each is None or not each.ended:
            continue
        if each.error:
            explain_end(each, bool((each.payload or {}).get("tokens")), name)
        elif not (each.result or {}).get("tokens"):
            render.prose(("note", [(name, "strong"), (f": {NOTHING}", "")]))
    missing = [name for name, each in asked.items() if each is None]
    if missing:
        st.button(
            render.label(f"Ask {' and '.join(missing)} too"),
            key="ask the other sizes",
            on_click=still(partial(_ask, job, missing)),
            icon=":material/arrow_forward:",
        )


def _ask(job: Job, names: Sequence[str]) -> None:
    with trying():
        for name in names:
            jobs.ask_size(job, name)


def _chosen(compared: Sequence[Size], chosen: Selection, row: int, column: int) -> None:
    size = compared[row]
    place = size.columns[column]
    again = size.generation.generation_id == chosen.job and chosen.span == place.span
    unit, span = clicked(place, chosen.unit, again)
    choose(job=size.generation.generation_id, span=span, unit=unit)


def _show_grid(compared: Sequence[Size], job: Job, column: int, chosen: Selection, looks: Mapping[str, Look]) -> None:
    panel(
        "What each size wrote",
        "How sure each size is of what it wrote, and how much of it came from the prompt: not whether it is right.",
    )
    controls.switch("unit", UNITS)
    st.caption(HINT)
    render.size_grid(
        [own_row(size, chosen.unit, looks) for size in compared],
        key=f"grid {job.id}",
        column=column,
        marker="the first one that differs from the size above",
        what=chosen.unit,
        on_cell=partial(_chosen, compared, chosen),
    )
