"""The charts of Compare hold the numbers that they were given, one look for each size; hostile names stay text."""

import json
import re

import numpy as np
import pytest

from dashboard.database.layer_groups import LayerGroup
from dashboard.database.ranking import Ranked
from dashboard.database.records import Generation, Model
from dashboard.drawing.shapes import Chart
from dashboard.drawing.size_look import size_looks
from dashboard.drawing.theme import DARK, LIGHT, Palette
from dashboard.screens.compare.charts import at_a_place, over_prompts, over_sizes
from dashboard.screens.compare.charts.over_sizes import Point
from dashboard.screens.compare.sizes.comparison import Size
from dashboard.screens.compare.sizes.learning import SizeTrend
from dashboard.screens.compare.sizes.places import Place
from tests.dashboard.drawing.colour import contrast
from tests.dashboard.hostile import HOSTILE


def model(name: str, n_params: int, family: str = "f") -> Model:
    return Model(name, name, family, n_params, 2, "pretrained", "", "t")


def size(name: str, n_params: int, shares: list[float]) -> Size:
    groups = [
        LayerGroup("attention-0", "attention", 0, (0,)),
        LayerGroup("mlp-0", "mlp", 0, (1,)),
        LayerGroup("attention-1", "attention", 1, (2,)),
        LayerGroup("mlp-1", "mlp", 1, (3,)),
        LayerGroup("embedding", "embedding", 2, (4,)),
    ]
    generation = Generation(f"g-{name}", "p", "", "", "", "", "", None, model(name, n_params))
    scores = [(0.5, 0.3, 0.2), (0.4, 0.1)][n_params > 50]
    layers = np.array(shares or np.zeros(5))
    ranked = tuple(
        Ranked(f"d{i + (n_params > 50)}", score, score, 1, i + 1, 0.0, score * layers) for i, score in enumerate(scores)
    )
    null = np.array([-0.1, 0.05, float("nan")])
    return Size(generation, [], [], [Place(0, 0, name)], None, groups, Place(0, 0, name), ranked, ranked, null)


HEAT = np.array([[0.1, 0.3], [0.2, float("nan")]])
MODELS = [model("small", 10), model("middle", 40), model("large", 160)]
LOOKS = size_looks(MODELS)
RANKS = [
    {"name": name, "rank": rank, "share": share / rank}
    for name, share in (("small", 0.5), ("large", 0.7))
    for rank in (1, 2, 3)
]
TOPICS = [
    {"name": "small", "value": "capital", "share": 0.7},
    {"name": "small", "value": "", "share": 0.3},
    {"name": "large", "value": "capital", "share": 0.9},
    {"name": "large", "value": "1e5", "share": 0.1},
]
PAIRS = [
    {"small": "small", "large": "middle", "n_prompts": 7, "overlap": 0.4, "ratio": 4.0, "method": "ekfac"},
    {"small": "small", "large": "large", "n_prompts": 1234, "overlap": 0.25, "ratio": 16.0, "method": "ekfac"},
]


def every(names: tuple[str, str] = ("small", "large"), topic: str = "capital") -> list[Chart]:
    small, large = names
    renamed = {"small": small, "large": large, "middle": f"{small} too", "capital": topic}
    rows = [[{k: renamed.get(v, v) for k, v in row.items()} for row in rows] for rows in (RANKS, TOPICS, PAIRS)]
    looks = size_looks([model(small, 10), model(large, 160)])
    return [
        at_a_place.depth_profiles([size(small, 10, [0.1, 0.2, 0.3, 0.3, 0.1]), size(large, 160, [])], looks),
        at_a_place.shares(size(small, 10, [0.2] * 5), [size(large, 160, [0.2] * 5)], {"d1": topic}, looks),
        at_a_place.distribution([size(small, 10, [0.2] * 5), size(large, 160, [0.2] * 5)], {"d1": topic}, looks),
        at_a_place.depth_heat([(size(small, 10, [0.2] * 5), [topic, "b"], HEAT)], looks, 1)[0],
        over_sizes.chances([Point(small, 10, 0.2, "20.0 %", "g"), Point(large, 160, 0.9, "90.0 %", "h")], looks),
        over_sizes.ranks(
            [Point(small, 10, None, "none of the 3 kept that help", "g"), Point(large, 160, 1, "rank 1", "h")], looks
        ),
        over_sizes.trend(
            [SizeTrend(small, 10, 9, 0.5, 0.25, 7, 0.4), SizeTrend(large, 160, 9, 0.9, 0.75, 7, None)], looks
        ),
        over_prompts.concentration(rows[0], looks),
        over_prompts.group_shares(rows[1], looks, "topic"),
        over_prompts.overlaps(rows[2]),
    ]


def test_depths_hold_the_shares_and_name_the_layer_of_a_point() -> None:
    chart = at_a_place.depth_profiles([size("small", 10, [0.1, 0.2, 0.3, 0.35, 0.05])], LOOKS)
    attention, mlp = chart.figure.data
    assert (attention.name, list(attention.x), list(attention.y)) == ("small, Attention", [0, 1], [0.1, 0.3])
    assert (mlp.name, list(mlp.x), list(mlp.y)) == ("small, MLP", [0, 1], [0.2, 0.35])
    assert [list(point) for point in mlp.customdata] == [["g-small mlp-0", "20.0 %"], ["g-small mlp-1", "35.0 %"]]
    assert attention.line.dash != mlp.line.dash
    assert [row["Share of influence"] for row in chart.rows] == [0.1, 0.2, 0.3, 0.35]
    assert "small: most in MLP 1, 35.0 %." in chart.words


def test_a_share_that_was_not_kept_stands_below_zero_and_is_told_as_such() -> None:
    small, large = size("small", 10, [0.2] * 5), size("large", 160, [0.2] * 5)
    diagonal, points = at_a_place.shares(small, [large], {"d0": "first"}, LOOKS).figure.data
    assert diagonal.hoverinfo == "skip"
    found = {point[0]: (x, y) for point, x, y in zip(points.customdata, points.x, points.y, strict=True)}
    assert found["d1"] == pytest.approx((0.3, 0.8)) and found["d2"] == pytest.approx((0.2, 0.2))
    assert found["d0"][0] == 0.5 and found["d0"][1] < 0
    assert [point[3] for point in points.customdata if point[0] == "d0"] == ["not kept"]
    assert (points.marker.color, points.name) == (LOOKS["large"].colour, "large")


def test_random_documents_stand_behind_in_percent_of_the_strongest() -> None:
    random, kept = at_a_place.distribution([size("small", 10, [])], {}, LOOKS).figure.data
    assert list(random.x) == pytest.approx([-20, 10]) and list(kept.x) == pytest.approx([100, 60, 40])
    assert {point[0] for point in random.customdata} == {""} and kept.customdata[0][0] == "d0"


def test_the_map_has_one_scale_and_the_colour_of_its_size() -> None:
    one, other = size("small", 10, [0.2] * 5), size("large", 160, [0.2] * 5)
    chart, top = at_a_place.depth_heat([(one, ["a", "b"], HEAT), (other, ["c"], HEAT[:, :1] / 2)], LOOKS, 0)
    maps = [trace for trace in chart.figure.data if trace.type == "heatmap"]
    assert top == 0.3 and {each.zmax for each in maps} == {0.3}
    assert [each.colorscale[-1][1] for each in maps] == [LOOKS["small"].colour, LOOKS["large"].colour]
    assert [row["Share of influence"] for row in chart.rows] == [0.1, 0.2, 0.3, 0.05, 0.1]
    assert "small: most in block 1, 20.0 %" in chart.words


def test_a_line_over_sizes_leaves_out_what_is_not_known() -> None:
    points = [Point("small", 10, None, "none", "g"), Point("large", 160, 2, "rank 2", "h")]
    [line] = over_sizes.ranks(points, LOOKS).figure.data
    assert (list(line.x), list(line.y), list(line.marker.color)) == ([160], [2], [LOOKS["large"].colour])
    found = [SizeTrend("small", 10, 9, 0.5, None, 0, 0.4), SizeTrend("large", 160, 9, 0.9, None, 0, 0.6)]
    right, led = over_sizes.trend(found, LOOKS).figure.data
    assert (list(right.y), list(led.y)) == ([0.5, 0.9], [0.4, 0.6])


def test_concentration_holds_the_shares_and_drops_what_a_logarithm_cannot_show() -> None:
    chart = over_prompts.concentration([*RANKS, {"name": "large", "rank": 4, "share": 0.0}], LOOKS)
    small, large = chart.figure.data
    assert list(small.x) == list(large.x) == [1, 2, 3]
    assert list(small.y) == [0.5, 0.25, 0.5 / 3]
    assert [point[0] for point in large.customdata] == ["1", "2", "3"]
    assert chart.rows[-1] == {"Size": "large", "Rank": 4, "Mean share": 0.0}
    assert chart.figure.layout.xaxis.type == chart.figure.layout.yaxis.type == "log"


def test_topics_stand_in_the_order_of_their_largest_share_and_are_never_numbers() -> None:
    chart = over_prompts.group_shares(TOPICS, LOOKS, "topic", most=3)
    assert list(chart.figure.layout.yaxis.ticktext) == ["capital", "no topic", "1e5"]
    small, large = chart.figure.data
    assert (list(small.y), list(small.x)) == ([0, 1], [0.7, 0.3])
    assert (list(large.y), list(large.x)) == ([0, 2], [0.9, 0.1])
    assert [point[0] for point in small.customdata] == ["capital", ""]
    assert len(over_prompts.group_shares(TOPICS, LOOKS, "topic", most=1).figure.data[0].y) == 1


def test_overlaps_hold_ratio_and_overlap_of_every_pair() -> None:
    [points] = over_prompts.overlaps(PAIRS).figure.data
    assert (list(points.x), list(points.y)) == ([4, 16], [0.4, 0.25])
    assert list(points.customdata[1]) == ["1", "25.0 %", "small and large", "1,234 prompts"]


def test_a_size_has_one_look_whichever_others_are_shown() -> None:
    alone = over_prompts.concentration([row for row in RANKS if row["name"] == "large"], LOOKS).figure.data[0]
    beside = over_prompts.concentration(RANKS, LOOKS).figure.data[1]
    bar = over_prompts.group_shares(TOPICS, LOOKS, "topic").figure.data[1]
    depth = at_a_place.depth_profiles([size("large", 160, [0.2] * 5)], LOOKS).figure.data[0]
    assert alone.line.color == beside.line.color == bar.marker.color == depth.line.color == LOOKS["large"].colour
    assert alone.marker.symbol == depth.marker.symbol == LOOKS["large"].symbol
    assert len({(look.colour, look.symbol) for look in LOOKS.values()}) == 3


def test_looks_begin_anew_in_each_family_and_go_on_after_the_last_colour() -> None:
    looks = size_looks([*(model(str(i), i) for i in range(10)), model("other", 1, "g")])
    assert looks["other"] == looks["0"]
    assert len({looks[str(i)] for i in range(10)}) == 10


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_marks_are_seen_in_both_themes_and_text_is_left_to_the_page(palette: Palette) -> None:
    for chart in every():
        colours = set(re.findall(r"#[0-9a-f]{6}", json.dumps(chart.figure.to_plotly_json()["data"], default=list)))
        assert colours and all(contrast(colour, palette.page) >= 3 for colour in colours)
        layout = chart.figure.to_plotly_json()["layout"]
        assert not re.search(
            r'"color": ', json.dumps({k: v for k, v in layout.items() if k != "template"}, default=list)
        )


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_stay_text(hostile: str) -> None:
    """In what plotly draws no tag, no entity but our own numbers, no template but our own, nothing endless."""
    for chart in every((hostile, f"{hostile} 2"), hostile):
        figure = chart.figure.to_plotly_json()
        layout = {name: value for name, value in figure["layout"].items() if name != "template"}
        drawn = [trace["name"] for trace in figure["data"] if "name" in trace]
        drawn += [text for each in figure["data"] for point in each.get("customdata", ()) for text in list(point)[1:]]
        drawn += [text for trace in figure["data"] for row in trace.get("text", ()) for text in row]
        ticks = [*layout["yaxis"].get("ticktext", ()), *layout["xaxis"].get("ticktext", ())]
        drawn += [line for each in ticks for line in each.split("<br>", 1)]  # a size, and its parameters below
        drawn += [layout[axis]["title"]["text"] for axis in ("xaxis", "yaxis") if layout[axis].get("title")]
        for text in drawn:
            assert not re.search(r"[<>$%{}\n\u202e\u200b\x00]", re.sub(r"(\d ?|^)%", "", text)), text
            assert not re.search(r"&(?!#\d+;)", text) and len(text) < 60 * 20
        for trace in figure["data"]:
            assert trace.get("hoverinfo") == "skip" or hostile[:12] not in trace["hovertemplate"]


def test_every_chart_is_described_and_hands_out_its_numbers() -> None:
    for chart in every():
        assert chart.words.endswith(".") and len(chart.words) > 40
        assert chart.rows and all(list(row) == list(chart.rows[0]) for row in chart.rows)
        axis = chart.figure.layout.xaxis
        assert axis.title.text or axis.ticktext  # the words themselves
