"""About this run: corpus, factors, damping, dates and faithfulness of the numbers on the screen."""

import json
from statistics import median
from typing import Any

import streamlit as st

from dashboard.database.queries import about, answers
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model, Run
from dashboard.drawing import render
from dashboard.drawing.numbers import counted, plain


def show_about_run(snapshot: Snapshot, model: Model | None) -> None:
    """What the runs of this size rest on; without a size, what the database does."""
    facts = _facts(snapshot.name, snapshot)
    licence = facts["config"].get("corpus", {}).get("licence", "")
    lines = [("Corpus", f"{counted(facts['documents'], 'document')}. {licence}")]
    if model:
        lines.append(("Model", f"{model.name}, {model.n_params:,} parameters, {model.n_layers} blocks, {model.stage}"))
        for run in answers.runs(snapshot, model.model_id):
            lines += of_run(run)
    created = facts["created_at"]
    lines.append(("Made", f"{created:%d %B %Y, %H:%M} UTC by Whence {facts['version']}" if created else "—"))
    methods = {run.method for run in answers.runs(snapshot, model.model_id)} if model else set()
    lines += _faithfulness([row for row in facts["evaluations"] if model and row["Model"] == model.name], methods)
    render.prose(*[("note", [(name, "strong"), (f": {said}", "")]) for name, said in lines])


def _faithfulness(measured: list[dict[str, Any]], methods: set[str]) -> list[tuple[str, str]]:
    """Of the methods whose numbers are shown, and which method is best; the page About has all of them."""
    shown = [row for row in measured if row["Method"] in methods or row["Figure"].startswith("best for ")]
    if not shown:
        return [("Faithfulness", "nothing was measured for this size")]
    return [("Faithfulness", f"{row['Figure']} {plain(row['Value'])} by {row['Method']}") for row in shown]


def of_run(run: Run) -> list[tuple[str, str]]:
    """Of one run, by its row: what is told, and how."""
    lines = [(f"Run {run.run_id}", f"{run.method}, {run.seconds:,.0f} s on {run.device}")]
    lines.append(("Damping", f"{run.damping:g} times the mean eigenvalue of each layer"))
    settings = _parsed(run.settings)
    factors = settings.get("factors", {})
    if isinstance(factors, dict) and factors.get("documents"):
        n_train = settings.get("n_train")
        of = f" of {n_train:,}" if isinstance(n_train, int) else ""
        eigen = factors.get("eigenvalue_documents") or factors["documents"]
        lines.append(("Factors", f"fitted on {factors['documents']:,} random documents{of}, eigenvalues on {eigen:,}"))
    if seen := settings.get("coverage"):
        rows = f"{seen['met']:,} of {seen['rows']:,} rows belong to tokens of the training"
        lines.append(
            ("Embedding", f"{rows}; of what is read and predicted there, the factors saw {seen['sampled']:.1%}")
        )
    return [*lines, *_regime(settings), *_solved(settings)]


def _regime(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """Where the training has left the model, and what that means for estimators."""
    found = settings.get("regime")
    if not isinstance(found, dict):
        return []
    said = []
    if isinstance(moved := found.get("parent_distance"), float):
        said.append(f"its weights lie {moved:.1%} of their length from its parent's")
    if isinstance(mean := found.get("mean_gradient"), float):
        said.append(f"the mean gradient of its documents is {mean:.2g} of one document's")
    near = "near a minimum, where conjugate gradients may help"
    far = "not near the minimum of a model before it: weights kept early in training say more than the last ones"
    return [("Regime", f"{near if found.get('near_minimum') else far} ({'; '.join(said) or 'nothing was measured'})")]


def _solved(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """How far conjugate gradients came, where they solved the queries."""
    left, steps, documents = (settings.get(name) for name in ("residuals", "cg_steps", "cg_documents"))
    if not isinstance(left, list) or not left:
        return []
    said = f"{steps} steps of conjugate gradients over {documents} random documents for each token; "
    said += f"what they leave of the gradient: {median(left):.2g} in the middle, {max(left):.2g} at most, of its length"
    return [("Solved", said)]


def _parsed(settings: str) -> dict[str, Any]:
    try:
        found = json.loads(settings or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


@st.cache_data(max_entries=8, show_spinner=False)
def _facts(name: str, _snapshot: Snapshot) -> dict[str, Any]:
    """Asked once for each published database."""
    del name
    meta = about.meta(_snapshot)
    return {
        "config": meta["config"],
        "created_at": meta.get("created_at"),
        "version": meta.get("whence_version", ""),
        "documents": about.counts(_snapshot)["documents"],
        "evaluations": about.evaluations(_snapshot),
    }
