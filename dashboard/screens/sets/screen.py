"""Sets: which training documents help or hurt a whole set of prompts, and how they lie over the corpus."""

import math
from collections.abc import Sequence

import numpy as np
import streamlit as st

from dashboard.address.bar import open_screen, selection
from dashboard.address.selection import Selection
from dashboard.database.connection import current
from dashboard.database.queries import answers, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.set_records import SetTarget
from dashboard.drawing import render
from dashboard.drawing.numbers import parameters, percent, plain, signed
from dashboard.screens.sets import RECORD
from dashboard.screens.sets.across import show_curve, show_sizes
from dashboard.screens.sets.documents import show_documents
from dashboard.screens.sets.sheet import sets_sheet
from dashboard.screens.sets.texts import show_texts
from dashboard.screens.sets.view import View, names, of_set, view
from dashboard.widgets import controls
from dashboard.widgets.estimator import choose_estimator
from dashboard.widgets.group_bars import show_groups
from dashboard.widgets.heading import panel
from dashboard.widgets.layer_bars import show_bars
from dashboard.widgets.size_switch import size_of_page
from dashboard.widgets.tools import show_tools, show_tools_alone

CONFIGURED = '[[targets]]\nname = "capitals"\nfile = "capitals.jsonl"'


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    targets = sets.set_targets(snapshot)
    if not targets:
        _explain_none(snapshot)
        return
    known = names(targets)
    sizes = of_set(targets, chosen.target_set if chosen.target_set in known else known[0], chosen.run)

    # ask
    found = view(snapshot, sizes, chosen, size_of_page(snapshot, RECORD))

    # show
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        _choose(snapshot, known, found)
        show_tools(snapshot, sets_sheet(snapshot, found, chosen), found.model)
    if chosen.target_set and chosen.target_set not in known:
        render.problem(f"No target set {chosen.target_set} in this database; {found.target.name} is shown.")
    if chosen.size and chosen.size != found.model.name:
        render.problem(f"{chosen.size} has no numbers of {found.target.name}; {found.model.name} is shown.")
    render.prose(*[("fact" if i == 0 else "note", line) for i, line in enumerate(facts(found.target))])
    main, side = st.columns([5, 3], gap="large")
    with main:
        shown = next((each for each in found.runs if each.run_id == found.target.run_id), None)
        if len(found.runs) > 1:
            choose_estimator(found.runs, shown, "")
        show_documents(found, chosen)
    with side:
        show_curve(snapshot, found)
        panel("Whole groups", "All documents of a group, kept or not: not the mean of one of them.")
        unit = found.unit.over(each.score for each in found.groups if each.column_name)
        show_groups(found.groups, chosen.column, key="groups of the set", unit=unit, on_group=_open_group)
        _show_layers(found, chosen)
    show_sizes(snapshot, found)
    show_texts(snapshot, found.target.name)


def _choose(snapshot: Snapshot, known: Sequence[str], found: View) -> None:
    held = {each.model for each in found.sizes}
    models = {each.name: each for each in answers.models(snapshot) if each.name in held}
    with st.container(horizontal=True, vertical_alignment="center", width="content"):
        if len(known) > 1:
            shown = {each: render.option(each) for each in known}
            controls.one_of("target_set", shown, quiet=True, shown=found.target.name)
        labels = {name: render.label(f"{name} · {parameters(model.n_params)}") for name, model in models.items()}
        controls.switch("size", labels, shown=found.model.name)


def facts(target: SetTarget) -> list[str]:
    """What is asked, what the size makes of it, and what the numbers rest on, in sentences."""
    texts = f"{target.n_texts:,} text{'s' * (target.n_texts != 1)} with {target.n_tokens:,} tokens to be said"
    if target.against:
        against = target.against.replace("\\", "/").rpartition("/")[2]
        value = f"mean log p of a token, less that of {against}, {signed(target.value, 3)} nats"
    else:
        value = f"mean log p of a token {signed(target.value, 3)} nats"
        value += f", a probability of {percent(math.exp(target.value))}" if math.isfinite(target.value) else ""
    asked = f"{target.name}, {target.model}: {texts}; {value}."
    rests = f"The gradient index estimated all {target.n_documents:,} documents"
    rests += f"; the {target.n_scored:,} at both ends were scored exactly."
    if math.isfinite(target.rank_correlation):
        rests += f" Over random documents the two agree by a rank correlation of {plain(target.rank_correlation)}"
        apart = target.estimate_error / target.null_std if target.null_std else math.nan
        rests += f" and lie {plain(apart)} standard deviations apart." if math.isfinite(apart) else "."
    return [asked, rests]


def _open_group(column: str, value: str) -> None:
    """Its documents, listed by Corpus."""
    open_screen("corpus", **({"source": "", "topic": ""} | {column: value}), search="", document="")


def _show_layers(found: View, chosen: Selection) -> None:
    """Of the chosen document, or of those on the page together."""
    n_layers = sum(len(group.members) for group in found.layers)
    rows = {each.document_id: each for each in found.shown if len(each.layer_scores) == n_layers}
    if not rows or not n_layers:
        return
    panel("Layers", "Which weights the influence passes through: not where the model keeps what it knows.")
    one = chosen.document in rows
    st.caption("Of the chosen document." if one else f"Of the {len(rows):,} documents on this page, added up.")
    of = [rows[chosen.document]] if one else list(rows.values())
    layers = np.sum([each.layer_scores for each in of], axis=0)
    amounts = found.unit.parts(layers, sum(each.score for each in of))
    show_bars(found.layers, amounts, key="layers of the set", unit=found.unit.name, what="the set")


def _explain_none(snapshot: Snapshot) -> None:
    models = answers.models(snapshot)
    show_tools_alone(snapshot, None, models[0] if models else None)
    render.prose(
        ("fact", "Target sets are not computed in this database: it was built without [[targets]]."),
        (
            "note",
            "A set is a file of prompts with completions: a benchmark, complaints, a style. Name it in the "
            "configuration and build again; what is stored already stays.",
        ),
        ("command", CONFIGURED),
        ("command", "whence build CONFIG"),
    )
