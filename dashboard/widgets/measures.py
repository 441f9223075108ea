"""How far the attributions of one answer agree with what the model does, method by method."""

from collections.abc import Sequence

import streamlit as st

from attribution.prompt.context.method_names import CITING, measured_name
from attribution.prompt.saliency.method import methods
from dashboard.database.records import Measure
from dashboard.drawing import render
from dashboard.drawing.numbers import plain
from dashboard.widgets.heading import panel

METRICS = {
    "top_drop": "Without the first document",
    "comprehensiveness": "Without the top tokens",
    "sufficiency": "With only the top tokens",
    "prediction": "Prediction",
    "completeness_gap": "Gap",
}


def show_measures(measures: Sequence[Measure]) -> None:
    """A table, one method that reads the prompt a row; nothing where nothing was measured."""
    measures = [each for each in measures if each.metric in METRICS]
    if not measures:
        return
    import pandas as pd  # late: Explain, which only needs the words, comes without it

    panel("Faithfulness", "Whether the answer changes as an attribution says: not whether the answer is right.")
    st.caption(
        "Nats of the answer's log-probability lost when what a method ranks first is taken out of the prompt, and when "
        "nothing else is left (10, 20 and 50 % of the tokens); in brackets what a random choice loses. Prediction is "
        "the rank correlation with what was measured while other documents were left out."
    )
    by_method: dict[str, dict[str, Measure]] = {}
    measured = {(each.method, each.metric) for each in measures}
    for each in measures:
        by_method.setdefault(measured_name(each.method, each.metric, measured), {})[each.metric] = each
    known = [name for name in METRICS if any(name in of for of in by_method.values())]
    names = {name: each.label for name, each in (methods() | CITING).items()}
    order = {name: i for i, name in enumerate([*CITING, *methods()])}  # what cites documents, then what shades tokens
    rows = [
        {"Method": names.get(method, method)} | {METRICS[name]: _told(of.get(name)) for name in known}
        for method, of in sorted(by_method.items(), key=lambda each: order.get(each[0], len(order)))
    ]
    render.table(pd.DataFrame(rows))


def in_words(measures: Sequence[Measure], method: str) -> str:
    """What was measured of the attribution that is shown; '' where nothing was. That it does no better than chance is
    said first."""
    of = {each.metric: each for each in measures if each.method == method}
    said = []
    if (lost := of.get("comprehensiveness")) is not None and lost.random is not None:
        said.append(
            f"Without the tokens that it ranks first the answer loses {plain(lost.value)} nats, without random ones "
            f"{plain(lost.random)}"
        )
        if lost.value <= lost.random:
            said[-1] = f"Worse than chance here: {said[-1][0].lower()}{said[-1][1:]}"
    if (gap := of.get("completeness_gap")) is not None:
        said.append(f"its scores sum to what they must up to {_told(gap)}")
    return f"{'; '.join(said)}." if said else ""


def _told(measure: Measure | None) -> str:
    if measure is None:
        return ""
    if measure.metric == "completeness_gap":
        return f"{plain(100 * measure.value, 2)} %"
    return plain(measure.value) + ("" if measure.random is None else f" ({plain(measure.random)})")
