"""The chart of predicted against measured changes holds the stored bins, for the estimators that were run."""

import json
import re
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.queries import about
from dashboard.database.records import Model
from dashboard.drawing.size_look import size_looks
from dashboard.export.files import as_json
from dashboard.screens.about.predicted import of_runs, predicted_measured
from dashboard.screens.about.sheet import about_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.hostile import HOSTILE

LOOKS = size_looks([Model("small", "small", "f", 1, 1, "", "", "t")])


def bins(method: str, model: str = "small") -> list[dict]:
    names = ("predicted", "measured", "low", "high", "n")
    rows = [(-0.2, -0.1, -0.15, 0.0, 9), (0.3, 0.4, 0.1, 0.5, 9)]
    return [{"model": model, "method": method} | dict(zip(names, row, strict=True)) for row in rows]


def test_dots_lie_where_they_were_measured_and_the_line_is_as_predicted():
    chart = predicted_measured([*bins("ekfac_checkpoints"), *bins("ekfac")], LOOKS)
    line, best, other = chart.figure.data
    assert list(line.x) == list(line.y) == [-0.2, 0.3]
    assert list(best.x) == [-0.2, 0.3] and list(best.y) == [-0.1, 0.4]
    assert list(best.error_y.array) == pytest.approx([0.1, 0.1])
    assert list(best.error_y.arrayminus) == pytest.approx([0.05, 0.3])
    assert (best.marker.color, best.marker.symbol) != (other.marker.color, other.marker.symbol)
    assert len(chart.rows) == 4 and chart.rows[1]["Measured, nats a token"] == 0.4
    assert "-0.1 where -0.2 was predicted" in chart.words.replace("−", "-").replace("0.100", "0.1").replace(
        "0.200", "0.2"
    )


def test_only_the_estimators_that_were_run_are_drawn_where_any_was():
    both = [*bins("ekfac_checkpoints"), *bins("source")]
    assert {each["method"] for each in of_runs(both, {("small", "source"), ("large", "ekfac")})} == {"source"}
    assert of_runs(both, {("large", "ekfac")}) == both


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_models_stay_text(hostile: str):
    chart = predicted_measured([*bins("ekfac", hostile), *bins("ekfac", "x")], LOOKS)
    drawn = [each.name for each in chart.figure.data]
    assert not any(re.search(r"[<>${}\u202e]|&(?!#\d+;)", text) for text in drawn)


def test_about_draws_it_and_hands_it_out(open_app: Callable[..., AppTest]) -> None:
    """Of a database with bins; no part of the page may fail behind it."""
    app = open_app(screen="about")
    assert not app.exception
    assert any("on the dashed line, what was predicted came true" in each.value for each in app.caption)
    assert [each.value for each in app.subheader][-1] == "How to read it"
    frames = [each.value for each in app.dataframe]
    [numbers] = [each for each in frames if "Lower quartile" in each.columns]
    assert len(numbers) == 5 and set(numbers["Pairs"]) == {100}


def test_the_file_of_about_has_every_figure_and_the_bins(snapshot: Snapshot) -> None:
    evaluations, bins_ = about.evaluations(snapshot), about.calibrated(snapshot)
    sheet = about_sheet(evaluations, bins_, about.sizes(snapshot), about.sources(snapshot), "CC0")
    table = sheet.table()
    assert list(table["value"]) == [each["Value"] for each in evaluations] and "95_%_interval" not in table
    assert set(table["estimator"]) >= {"EK-FAC", "BM25"} and len(table) == len(evaluations)
    told = json.loads(as_json(sheet))
    assert told["predicted_and_measured"] == bins_ and told["licence"] == "CC0" and len(told["models"]) == 3
