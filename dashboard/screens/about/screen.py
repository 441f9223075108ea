"""About: what this database is, how its numbers were made, and how far they can be trusted."""

from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from attribution.normalisers import NORMALISERS
from dashboard.database.connection import current
from dashboard.database.method_names import method_name
from dashboard.database.queries import about, answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.drawing.size_look import size_looks
from dashboard.screens.about.charts import charted, method_dots, of
from dashboard.screens.about.curves import is_curve, removal_curve
from dashboard.screens.about.measured import by_method, decided, explained, label_of, removal
from dashboard.screens.about.predicted import of_runs, predicted_measured
from dashboard.screens.about.sheet import about_sheet
from dashboard.screens.about.told import told, where_measured
from dashboard.widgets.tools import show_tools_alone

BUILT = "sanity"  # the figure that a build measures itself, of prompt saliency and without training again
WHOLE = 40  # rows of figures that are shown without a scroll bar of their own

COVERAGE = (
    "Influence is that of the explained parameters: linear layers, embedding and head. Norms and what else is not "
    "explained count as fixed."
)

READING = (
    "Influence says what seeing a document once more in training would do to a token's log-probability. Positive "
    "pushes the model towards the token, negative away from it.",
    "Where models that were trained again have measured what a predicted nat is worth, pages show calibrated nats, "
    "never more than the token has left to gain. Where nothing was measured, they show percent of the strongest "
    "document of a list, and ranks.",
    "It is a prediction from gradients (EK-FAC), not the result of training again. Documents that were not scored are "
    "unknown, not zero. Raw influences of different sizes are not on one scale; ranks and shares are.",
)


def adapted(name: str, parent: str, n_explained: int, n_params: int) -> str:
    """What is explained of a model that is an adapter beside its base."""
    said = f"{name}: the adapter's matrices are explained, {n_explained:,} of {n_params:,} parameters."
    return said + (f" No document of {parent} is reached through them: they were not there yet." if parent else "")


def show() -> None:
    """Draw the screen; it does not depend on the selection."""
    # ask
    snapshot = current()
    meta, counts = about.meta(snapshot), about.counts(snapshot)
    sizes, sources, evaluations = about.sizes(snapshot), about.sources(snapshot), about.evaluations(snapshot)
    covered, adapters = about.coverage(snapshot), about.adapters(snapshot)
    licence = str(meta["config"].get("corpus", {}).get("licence", ""))

    # show
    sheet = about_sheet(evaluations, about.calibrated(snapshot), sizes, sources, licence)
    show_tools_alone(snapshot, sheet, None)
    st.subheader("This database")
    created = f"{meta['created_at']:%d %B %Y, %H:%M} UTC" if meta.get("created_at") else "at an unknown time"
    render.prose(
        ("fact", _counted(counts)),
        (
            "note",
            f"Made {created} by Whence {meta.get('whence_version', '')}, schema {meta.get('schema_version', '')}.",
        ),
        ("note", f"File {snapshot.name}."),
    )
    st.subheader("Models and runs")
    render.table(pd.DataFrame([row | {"Influence": method_name(row["Influence"] or "none")} for row in sizes]))
    if covered:
        render.prose(("note", COVERAGE), *(("note", adapted(**each)) for each in adapters))
        render.table(pd.DataFrame(covered), key="coverage")
    st.subheader("Corpus")
    if licence:
        render.prose(("note", f"Licence: {licence}"))
    render.prose(("note", learned_from(about.trained_on(snapshot))))
    render.table(pd.DataFrame(sources))
    st.subheader("How faithful the numbers are")
    _show_evaluations(snapshot, evaluations, {(row["Model"], row["Influence"]) for row in sizes})
    st.subheader("How to read it")
    render.prose(
        *[("fact", sentence) for sentence in READING],
        *[("note", [(each.label, "strong"), (f" ({each.unit}): {each.meaning}", "")]) for each in NORMALISERS.values()],
    )


def learned_from(rows: Sequence[dict[str, Any]]) -> str:
    """How many documents each model learned from: not all read all. Those of a fine-tuned one come on top of its
    parent's. rows: of `about.trained_on`."""
    by_count: dict[tuple[int, bool], list[str]] = {}
    for row in rows:
        by_count.setdefault((row["n_train"], bool(row["parent"])), []).append(row["name"])
    said = []
    for (n, more), names in by_count.items():
        who = " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
        said.append(f"{n:,}{' more' if more else ''} document{'s' * (n != 1)} by {who}")
    return f"Learned and explained are {'; '.join(said)}." if said else "How many documents a model read is not known."


def _counted(counts: dict[str, int]) -> str:
    words = {
        "documents": "training documents",
        "prompts": "prompts",
        "tokens": "generated tokens",
        "influences": "influences",
    }
    return ", ".join(f"{counts[name]:,} {word}" for name, word in words.items()) + "."


def _show_evaluations(snapshot: Snapshot, evaluations: list[dict[str, Any]], runs: Collection[tuple[str, str]]) -> None:
    if all(row["Figure"] == BUILT for row in evaluations):
        render.prose(
            ("note", "How far its numbers agree with training again is not measured yet. This command measures it:"),
            ("command", "whence evaluate CONFIG"),
        )
    if not evaluations:
        return
    said = [*told(evaluations), *decided(evaluations), *removal(evaluations)]
    render.prose(
        *[("fact", [(question, "strong"), (f": {answer}", "")]) for question, answer in said],
        *[("note", line) for line in where_measured(evaluations)],
    )
    _show_predicted(snapshot, runs)
    picked = _show_dots(snapshot, evaluations)
    if is_curve(evaluations):
        st.caption(
            "What answers lose of their log-probability when a model is trained again without the documents that a "
            "method blames most, and without as many random ones; with 95 % intervals."
        )
        render.chart(removal_curve(evaluations, size_looks(answers.models(snapshot))), key="removal")
    methods = by_method(evaluations)
    if methods:
        render.table(pd.DataFrame(methods).round(3), key="methods", height="content")
    named = {row["Figure"] for row in evaluations}
    render.prose(*[("note", [(each.label, "strong"), (f": {each.meaning}.", "")]) for each in explained(named)])
    unsaid = ["Low", "High", "Command", *([] if any(row["Measured"] for row in evaluations) else ["Measured"])]
    shown = pd.DataFrame([row for row in evaluations if picked in ("", of(row))]).drop(columns=unsaid)
    with st.expander(f"Every figure, with its interval and how it was measured: {len(shown):,}"):
        render.table(shown, key="figures", height="content" if len(shown) <= WHOLE else 36 * WHOLE)


def _show_predicted(snapshot: Snapshot, runs: Collection[tuple[str, str]]) -> None:
    """Whether predicted changes came true, where models that were trained again have told.    runs: (model, method)"""
    bins = about.calibrated(snapshot)
    if not bins:
        return
    st.caption(
        "Predicted change of an answer's log-probability against the change in models that were trained on other "
        "halves of the documents, once predictions were scaled by what other halves and answers had shown; in a half a "
        "document weighs twice as much as in all, and so it does in what was predicted of it here. Each dot is "
        "the mean of as many pairs of model and answer, its whisker holds the middle half of them; on the dashed line, "
        "what was predicted came true."
    )
    render.chart(predicted_measured(of_runs(bins, runs), size_looks(answers.models(snapshot))), key="predicted")


def _show_dots(snapshot: Snapshot, evaluations: list[dict[str, Any]]) -> str:
    """The methods on one measure, where intervals were stored; the key of the dot that is selected."""
    taken = charted(evaluations)
    if not taken:
        return ""
    st.caption(
        "Each method with the 95 % interval of its figure, the best above. Click a dot to see only the figures of that "
        "method below."
    )
    metric = taken[0]
    if len(taken) > 1:
        names = {each: label_of(each) for each in taken}
        metric = (
            st.segmented_control(
                "Measure",
                taken,
                key="measure of the dots",
                default=metric,
                format_func=names.__getitem__,
                label_visibility="collapsed",
            )
            or metric
        )
    looks = size_looks(answers.models(snapshot))
    return render.chart(method_dots(evaluations, metric, looks), key="dots")
