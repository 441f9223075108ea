import pytest

from dashboard.drawing.figure import CONFIG, blank
from dashboard.drawing.theme import DARK, LIGHT, Palette, chart_style
from tests.dashboard.drawing.colour import contrast


def test_the_tool_bar_leads_nowhere() -> None:
    assert CONFIG["displaylogo"] is CONFIG["showSendToCloud"] is CONFIG["showEditInChartStudio"] is False
    assert CONFIG["plotlyServerURL"] == ""
    assert {name for group in CONFIG["modeBarButtons"] for name in group} == {"toImage", "resetScale2d"}  # type: ignore[attr-defined]


def test_a_figure_begins_with_its_axes() -> None:
    figure = blank(300, hover="closest", x={"title": "depth"}, y={"title": "share", "range": [0, 1]})
    assert (figure.layout.height, figure.layout.hovermode) == (300, "closest")
    assert (figure.layout.xaxis.title.text, list(figure.layout.yaxis.range)) == ("depth", [0, 1])


@pytest.mark.parametrize("palette", [LIGHT, DARK])
def test_what_plotly_writes_is_legible(palette: Palette) -> None:
    style = chart_style()
    assert f"text {{ fill: light-dark({LIGHT.muted}, {DARK.muted}) !important; }}" in style
    assert f"fill: light-dark({LIGHT.card}, {DARK.card}) !important" in style
    for text, under in ((palette.muted, palette.page), (palette.text, palette.page), (palette.text, palette.card)):
        assert contrast(text, under) >= 4.5
