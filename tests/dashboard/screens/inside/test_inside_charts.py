"""The charts of Inside hold the numbers that they were given; hostile tokens stay text."""

import json

import pytest

from dashboard.database.components.amounts import Amounts
from dashboard.database.components.lens import Seen
from dashboard.database.components.name import Component
from dashboard.database.components.records import Activations
from dashboard.drawing.size_look import size_looks
from dashboard.screens.inside import charts
from tests.dashboard.hostile import HOSTILE

LOOKS = size_looks([])
LINE = [Seen(0, 1e-9, 900, " x", 0.5), Seen(0.5, 0.25, 2, " y", 0.5), Seen(1, 0.75, 1, " z", 0.75)]


def test_the_lens_draws_every_depth_and_says_every_number() -> None:
    chart = charts.lens({"small": LINE, "large": LINE[:1] + LINE[2:]}, LOOKS)
    small, large = chart.figure.data
    assert list(small.x) == [0, 0.5, 1] and list(large.x) == [0, 1]
    assert list(small.y) == [charts.LEAST, 0.25, 0.75]  # what is less likely than the axis begins is drawn at its end
    assert [row["Probability"] for row in chart.rows] == [1e-9, 0.25, 0.75, 1e-9, 0.75]
    assert "rank 2; most probable:  y (50.0 %)" in small.customdata[1][2]
    assert "the most probable token from 100.0 % of the depth on" in chart.words


def test_several_tokens_have_no_rank() -> None:
    chart = charts.lens({"small": [Seen(0, 0.1, None, "", None), Seen(1, 0.5, None, "", None)]}, LOOKS)
    assert all(set(row) == {"Size", "Depth", "Probability"} for row in chart.rows)
    assert [point[2] for point in chart.figure.data[0].customdata] == ["", ""]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_tokens_stay_text(text: str) -> None:
    chart = charts.lens({text: [Seen(0, 0.1, 5, text, 0.5)]}, LOOKS)
    said = json.loads(chart.figure.to_json())["data"][0]
    assert not set("<>$") & set(said["name"] + said["customdata"][0][2])


def test_predicted_and_measured_meet_in_a_point() -> None:
    head, neuron, other = Component("head", 1, 2), Component("neuron", 0, 3), Component("head", 0, 0)
    predicted, measured = (
        Amounts("nats", {head: 1.0, neuron: -0.5}),
        Amounts("nats", {head: 0.75, neuron: -0.25, other: 9}),
    )
    chart = charts.agreement(predicted, measured)
    heads, neurons = chart.figure.data
    assert (list(heads.x), list(heads.y)) == ([1.0], [0.75])
    assert (list(neurons.x), list(neurons.y)) == ([-0.5], [-0.25])
    assert heads.customdata[0][0] == "head:1.2" and neurons.customdata[0][0] == "neuron:0.3"
    assert [row["Component"] for row in chart.rows] == ["head 1.2", "neuron 0.3"]


def test_a_histogram_has_a_bar_for_every_range() -> None:
    chart = charts.activations(Activations([-2.0, -1.0, 0.0, 2.0, 8.0], [0, 7, 0, 1234], 0.5))
    [bars] = chart.figure.data
    assert list(bars.y) == [7, 0, 1234]  # without the empty ends
    assert [row["Activation"] for row in chart.rows] == ["−1.00 to 0", "0 to 2.00", "2.00 to 8.00"]
    assert list(chart.figure.layout.xaxis.tickvals) == [-0.5, 1.5]
    assert list(chart.figure.layout.xaxis.ticktext) == ["−1.00", "2.00"]
    assert "1,241 tokens" in chart.words


def test_nothing_counted_is_an_empty_chart() -> None:
    assert charts.activations(Activations([0.0, 1.0], [0], 0.0)).rows == []


@pytest.mark.parametrize(("least", "fine"), [(0.001, False), (0.04, True)])
def test_ticks_stand_where_there_is_room(least: float, fine: bool) -> None:
    axis = charts.lens({"a": [Seen(0, least, 2, "x", 0.5)]}, LOOKS).figure.layout.yaxis
    assert ("50 %" in axis.ticktext) == fine and len(axis.tickvals) == len(axis.ticktext)
