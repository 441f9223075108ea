"""The dots of About hold the figures and their intervals."""

import re

import pytest

from dashboard.database.records import Model
from dashboard.drawing.size_look import size_looks
from dashboard.screens.about.charts import charted, method_dots, of
from tests.dashboard.hostile import HOSTILE

LOOKS = size_looks([Model(name, name, "f", 1, 1, "", "", "t") for name in ("small", "large")])


def figure(method: str, value: float, metric: str = "lds", model: str = "small", half: float | None = 0.1) -> dict:
    low, high = (None, None) if half is None else (value - half, value + 2 * half)
    said = "" if half is None else f"{low:.2f} to {high:.2f}"
    return {"Model": model, "Figure": metric, "Method": method, "Value": value, "Low": low, "High": high} | {
        "95 % interval": said
    }


FIGURES = [
    figure("bm25", 0.3),
    figure("ekfac", 0.5),
    figure("ekfac", 0.7, model="large"),
    figure("tracin", 0.1, half=None),
    figure("ekfac, attention only", 0.9),
    figure("ekfac", 0.8, "mrr", half=None),
]


def test_only_a_measure_with_an_interval_is_drawn():
    assert charted(FIGURES) == ["lds"]
    assert charted([figure("ekfac", 0.5, half=None), figure("ekfac", 0.5, "sanity")]) == []


def test_dots_lie_at_their_values_and_whiskers_reach_the_ends():
    chart = method_dots(FIGURES, "lds", LOOKS)
    small, large = chart.figure.data
    assert list(chart.figure.layout.yaxis.ticktext) == ["EK-FAC", "BM25", "TracIn"]
    assert list(small.x) == [0.5, 0.3, 0.1] and list(large.x) == [0.7]
    assert [round(y) for y in small.y] == [0, 1, 2]
    assert small.y[0] != large.y[0]  # beside each other
    assert list(small.error_x.array) == pytest.approx([0.2, 0.2, 0])
    assert list(small.error_x.arrayminus) == pytest.approx([0.1, 0.1, 0])
    assert [point[0] for point in small.customdata] == [of(FIGURES[1]), of(FIGURES[0]), of(FIGURES[3])]
    assert [point[1] for point in small.customdata] == ["0.500 (0.40 to 0.70)", "0.300 (0.20 to 0.50)", "0.100"]
    assert small.marker.color == LOOKS["small"].colour
    assert chart.rows[0] == {"Model": "large", "Method": "EK-FAC", "LDS": 0.7, "Low": 0.6, "High": pytest.approx(0.9)}
    assert "EK-FAC, large: 0.700 (0.60 to 0.90)" in chart.words


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_methods_and_models_stay_text(hostile: str):
    chart = method_dots([figure(hostile.replace(", ", " "), 0.5, model=hostile)], "lds", LOOKS)
    drawn = [chart.figure.data[0].name, *chart.figure.layout.yaxis.ticktext, *chart.figure.data[0].customdata[0][1:]]
    assert not any(re.search(r"[<>${}\u202e]|&(?!#\d+;)", text) for text in drawn)
