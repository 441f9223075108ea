"""About: what this database is, how its numbers were made, and how far they can be trusted."""

from typing import Any

import pandas as pd
import streamlit as st

from dashboard.database.connection import current
from dashboard.database.method_names import method_name
from dashboard.database.normalise import NORMALISERS
from dashboard.database.queries import about
from dashboard.drawing import render
from dashboard.screens.about.measured import MEASURES, by_method, decided, removal

FIGURES = {
    "best for influence": "the method whose figure without the query's own document is highest",
    "best for where it says so": "the method that puts the documents which state an answer highest",
    "lds": "linear datamodelling score: rank correlation with models that were really trained again on random halves "
    "of the documents; where they were trained with another seed too, that row is what two trainings of one half agree "
    "to, so little can do better",
    "lds_without_self": "the same after the effect of the query's own document is taken out",
    "mrr": "mean of 1 / rank of the document that states the answer, over all documents",
    "recall@1": "share of answers with a document that states them at rank 1",
    "recall@10": "share of answers with such a document among the first ten",
    "planted@3": "share of invented facts, put into a new training, whose document is among the first three",
    "drop@20": "what the answer loses of its log-probability, nats a token, when the 20 documents blamed most are left "
    "out of a new training",
    "flips@20": "share of answers that change when the 20 documents blamed most are left out of a new training",
    "tail_patch": "change of the answer's log-probability, nats a token, after one step on the ten top documents",
    "sanity": "rank correlation of a saliency map with that of the same model with shuffled weights; near 0 is good",
}

WHOLE = 40  # rows of figures that are shown without a scroll bar of their own

COVERAGE = (
    "Influence is that of the explained parameters: linear layers, embedding and head. Norms and what else is not "
    "explained count as fixed."
)

READING = (
    "Influence is the predicted change of a token's log-probability, in nats, if a document were seen once more in "
    "training. Positive pushes the model towards the token, negative away from it.",
    "It is a prediction from gradients (EK-FAC), not the result of training again. Documents that were not scored are "
    "unknown, not zero. Raw influences of different sizes are not on one scale; ranks and shares are.",
)


def show() -> None:
    """Draw the screen; it does not depend on the selection."""
    # ask
    snapshot = current()
    meta, counts = about.meta(snapshot), about.counts(snapshot)
    sizes, sources, evaluations = about.sizes(snapshot), about.sources(snapshot), about.evaluations(snapshot)
    covered = about.coverage(snapshot)
    licence = str(meta["config"].get("corpus", {}).get("licence", ""))

    # show
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
        render.prose(("note", COVERAGE))
        render.table(pd.DataFrame(covered), key="coverage")
    st.subheader("Corpus")
    if licence:
        render.prose(("note", f"Licence: {licence}"))
    render.table(pd.DataFrame(sources))
    st.subheader("How faithful the numbers are")
    _show_evaluations(evaluations)
    st.subheader("How to read it")
    render.prose(
        *[("fact", sentence) for sentence in READING],
        *[("note", [(each.label, "strong"), (f" ({each.unit}): {each.meaning}", "")]) for each in NORMALISERS.values()],
    )


def _counted(counts: dict[str, int]) -> str:
    words = {
        "documents": "training documents",
        "prompts": "prompts",
        "tokens": "generated tokens",
        "influences": "influences",
    }
    return ", ".join(f"{counts[name]:,} {word}" for name, word in words.items()) + "."


def _show_evaluations(evaluations: list[dict[str, Any]]) -> None:
    if not evaluations:
        render.prose(
            ("note", "Nothing was measured for this database yet. This command trains again and measures:"),
            ("command", "python -m indexer evaluate CONFIG"),
        )
        return
    said = [*decided(evaluations), *removal(evaluations)]
    render.prose(*[("fact", [(question, "strong"), (f": {answer}", "")]) for question, answer in said])
    methods = by_method(evaluations)
    if methods:
        render.table(pd.DataFrame(methods).round(3), key="methods", height="content")
    named = {row["Figure"] for row in evaluations}
    known = {MEASURES.get(name, name): words for name, words in FIGURES.items() if name in named}
    render.prose(*[("note", [(name, "strong"), (f": {words}.", "")]) for name, words in known.items()])
    with st.expander(f"Every figure, with its interval and how it was measured: {len(evaluations):,}"):
        render.table(
            pd.DataFrame(evaluations), key="figures", height="content" if len(evaluations) <= WHOLE else 36 * WHOLE
        )
