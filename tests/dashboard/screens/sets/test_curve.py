"""The curve of influence: what it says is what a sum over the ranked corpus gives; hostile names stay text."""

import json

import numpy as np
import pytest

from dashboard.database.set_records import CurvePoint, SetTarget
from dashboard.drawing.size_look import size_looks
from dashboard.screens.sets.curve import at_share, carried, curve_chart, help_of, n_helpful, point_of
from tests.dashboard.hostile import HOSTILE
from tests.dashboard.screens.compare.test_charts import model

N = 200


def target(name: str = "small", n: int = N) -> SetTarget:
    nan = float("nan")
    return SetTarget(
        f"run-{name}", "ekfac", name, name, "set", "", 1, 1, nan, nan, n, 0, nan, nan, np.empty(0), nan, nan
    )


def curve(values: np.ndarray, places: list[int] | None = None) -> list[CurvePoint]:
    """The points at these places, or at all."""
    falling = np.sort(values)[::-1]
    sums = falling.cumsum()
    return [CurvePoint(i, float(falling[i - 1]), float(sums[i - 1])) for i in places or range(1, len(values) + 1)]


@pytest.fixture
def values() -> np.ndarray:
    return np.random.default_rng(3).normal(0.2, 1, N)


def test_all_help_is_the_sum_of_what_helps(values: np.ndarray) -> None:
    assert help_of(curve(values)) == pytest.approx(values[values > 0].sum())
    assert n_helpful(curve(values)) == (values > 0).sum()


def test_what_the_first_documents_carry(values: np.ndarray) -> None:
    drawn = curve(values)
    point = at_share(drawn, N, 0.1)
    assert point.place == 20
    share = np.sort(values)[::-1][:20].sum() / values[values > 0].sum()
    assert carried(target(), drawn, point) == (
        f"the first 20 documents of 200 (10.0 %) carry {100 * share:.1f} % of what all helpful documents do."
    )
    assert carried(target(), drawn, drawn[0]).startswith("the first document of 200 (0.5 %) carry")


def test_a_thinned_curve_stands_at_its_own_places(values: np.ndarray) -> None:
    drawn = curve(values, [30, 60, 200])
    assert at_share(drawn, N, 0.1).place == 30  # the first there is
    assert at_share(drawn, N, 0.5).place == 60


def test_where_nothing_helps_it_says_so(values: np.ndarray) -> None:
    drawn = curve(-np.abs(values))
    assert help_of(drawn) == 0 and n_helpful(drawn) == 0
    assert "no document is estimated to help" in carried(target(), drawn, drawn[3])
    assert not curve_chart([(target(), drawn)], {}).figure.data


def test_each_size_has_its_line_and_every_point_its_key(values: np.ndarray) -> None:
    curves = [(target("small"), curve(values)), (target("large", 3), curve(values[:3] + 5))]
    chart = curve_chart(curves, size_looks([model("small", 10), model("large", 160)]))
    for (of, points), trace in zip(curves, chart.figure.data, strict=True):
        assert trace.name == of.model
        np.testing.assert_allclose(trace.x, [each.place / of.n_documents for each in points])
        np.testing.assert_allclose(trace.y, [each.total / help_of(points) for each in points])
        for key, point in zip((each[0] for each in trace.customdata), points, strict=True):
            assert point_of(curves, key) == (of, points, point)
    assert point_of(curves, "run-small 999") is None
    assert [row["Size"] for row in chart.rows].count("large") == 3


def test_hostile_names_stay_text(values: np.ndarray) -> None:
    for text in HOSTILE:
        chart = curve_chart([(target(text), curve(values))], {})
        drawn = json.dumps(chart.figure.to_plotly_json()["data"][0]["name"]) + chart.words
        assert "<script" not in drawn.replace(chart.words, "") and "\u202e" not in drawn
