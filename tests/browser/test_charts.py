"""The plotly charts in a real browser: hover, legend, selection, both themes, and no way out."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.database.reader import Database
from tests.browser.conftest import serve
from tests.browser.visit import Visit
from tests.dashboard.hostile import HOSTILE, build_hostile

pytestmark = pytest.mark.browser
CONTRAST = """chart => {
    const light = (css) => {
        const [r, g, b] = css.match(/[\\d.]+/g).map(Number)
            .map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const page = light(getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor);
    return [...chart.querySelectorAll('svg text')]
        .filter((text) => text.textContent.trim() && text.getClientRects().length)
        .map((text) => [light(getComputedStyle(text).fill), page].sort((a, b) => b - a))
        .map(([a, b]) => (a + 0.05) / (b + 0.05));
}"""


def opened(visit: Visit, path: str = "/compare") -> Any:
    visit.open(path, ".stPlotlyChart svg text")
    visit.page.wait_for_timeout(300)
    return visit.page.locator(".stPlotlyChart")


def named(visit: Visit, words: str) -> Any:
    """The chart whose words begin so."""
    chart = visit.page.locator(f".stPlotlyChart[aria-label^='{words}']")
    chart.locator("svg text").first.wait_for(state="attached")
    chart.scroll_into_view_if_needed()
    return chart


def notes(visit: Visit) -> list[str]:
    return [text for text in visit.page.locator(".block.note").all_inner_texts() if "carry" in text]


def test_hover_says_every_size_and_the_legend_hides_one(visit: Visit) -> None:
    opened(visit)
    chart = named(visit, "Mean share of influence by rank")
    chart.locator(".scatterlayer .trace").first.locator(".point").nth(1).hover(force=True)
    chart.locator(".hoverlayer .legend").wait_for()
    said = chart.locator(".hoverlayer").evaluate("layer => layer.textContent")
    assert said.startswith("rank 2") and all(f"synth-{size}: " in said for size in "sml") and said.count("%") == 3
    chart.locator(".legendtoggle").first.click()
    visit.until(lambda: chart.locator(".scatterlayer .trace").count() == 2)
    chart.locator(".legendtoggle").first.click()
    visit.until(lambda: chart.locator(".scatterlayer .trace").count() == 3)


def test_a_rank_adds_up_to_there_and_a_pair_stands_alone(visit: Visit) -> None:
    opened(visit)
    ranks = named(visit, "Mean share of influence by rank")
    assert len(notes(visit)) == 3 and all("the first 10 carry" in note for note in notes(visit))
    ranks.locator(".scatterlayer .trace").nth(1).locator(".point").nth(3).click(force=True)
    visit.until(lambda: len(notes(visit)) == 3 and all("the first 4 carry" in note for note in notes(visit)))
    visit.settle()
    pairs = named(visit, "Mean overlap")
    table = visit.page.locator("[data-testid=stDataFrame]").last
    tall = table.bounding_box()["height"]
    pairs.locator(".point").nth(1).click(force=True)
    visit.until(lambda: table.bounding_box()["height"] < tall)
    visit.settle()


def test_a_layer_and_a_group_lead_on(visit: Visit, folder: Path) -> None:
    opened(visit)
    named(visit, "Share of influence by depth").locator(".scatterlayer .trace").nth(2).locator(".point").nth(1).click(
        force=True
    )
    visit.page.wait_for_url("**layer=attention-1*")
    generation = visit.page.url.split("generation=")[1].split("&")[0]
    sql = "SELECT name FROM generation JOIN model USING (model_id) WHERE generation_id = ?"
    assert Database(folder).current().rows(sql, [generation]) == [{"name": "synth-m"}]
    visit.settle()
    opened(visit)
    named(visit, "Share of influence by source").locator(".barlayer .point path").nth(1).click(force=True)
    visit.page.wait_for_url("**/runs*group=source*")
    visit.settle()
    value = visit.page.url.split("group=source%3A")[1].split("&")[0]
    owed = visit.page.get_by_text(f"{value} +").first
    owed.wait_for()
    assert "most on" in owed.inner_text()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_charts_are_described_and_legible(chromium: object, server: str, theme: str) -> None:
    visit = Visit(chromium, server, color_scheme=theme)
    for path, n in (("/compare", 11), ("/inside", 2), ("/about", 2)):
        charts = opened(visit, path)
        visit.until(lambda charts=charts, n=n: charts.count() == n)
        for i in range(n):
            chart = charts.nth(i)
            assert chart.get_attribute("role") == "figure" and len(chart.get_attribute("aria-label")) > 40
            ratios = chart.evaluate(CONTRAST)
            assert len(ratios) > 3 and min(ratios) >= 4.5, (path, i, ratios)
            assert chart.locator("a").count() == 0  # no logo, no link, nothing that sends
    visit.close()


@pytest.fixture
def hostile(tmp_path: Path) -> Iterator[str]:
    build_hostile(tmp_path / "build")
    yield from serve(tmp_path / "build", tmp_path / "log")


def test_hostile_names_are_drawn_literally(chromium: object, hostile: str) -> None:
    visit = Visit(chromium, hostile)
    charts = opened(visit)
    visit.page.wait_for_timeout(1000)
    drawn = " ".join(charts.evaluate_all("all => all.map((chart) => chart.textContent)"))
    assert charts.count() >= 2
    assert HOSTILE[0][:20] in drawn and HOSTILE[1][:20] in drawn, drawn  # tags, as text
    assert "&#" not in drawn
    assert charts.locator("a, tspan[style*='bold'], image:not(.heatmaplayer image), foreignObject").count() == 0
    visit.close()
