"""Inside in a real browser: the grid by mouse and keyboard, its values, the way from a head to what taught it."""

from pathlib import Path
from typing import Any

import pytest

from indexer.database.reader import Database
from tests.browser.test_journey import FOCUSED
from tests.browser.visit import Visit
from tests.synthetic_inside import HEADS

pytestmark = pytest.mark.browser
HERE = FOCUSED + " return element.getAttribute('data-key')"


def focused(visit: Visit) -> str:
    return str(visit.page.evaluate(f"() => {{ {HERE} }}"))


def part(visit: Visit, key: str) -> Any:
    return visit.page.locator(f"button.part[data-key='{key}']")


def test_a_click_on_a_head_opens_it_and_another_closes_it(visit: Visit, folder: Path) -> None:
    visit.open("/inside", "button.part")
    part(visit, "head:1.1").click()
    assert part(visit, "head:1.1").get_attribute("aria-pressed") == "true"  # at once
    visit.page.wait_for_url("**component=head*")
    visit.page.wait_for_selector(".card")
    visit.settle()
    generation = visit.page.url.split("generation=")[1].split("&")[0]
    rows = (
        Database(folder)
        .current()
        .rows(
            """SELECT document_id, head_scores[?] AS score FROM component_taught
            WHERE generation_id = ? AND position = 0 ORDER BY abs(score) DESC LIMIT 5""",
            [HEADS + 2, generation],
        )
    )
    best = [row["document_id"] for row in sorted(rows, key=lambda row: -row["score"])]
    cards = visit.page.locator(".card").evaluate_all("all => all.map(card => card.dataset.id)")
    assert cards[:5] == best
    assert visit.page.locator(".prompt .token[data-hue=strength]").count() > 3
    part(visit, "head:1.1").click()
    visit.until(lambda: "component" not in visit.page.url)
    visit.settle()
    assert visit.page.locator(".card").count() == 0


def test_the_grid_by_keyboard(visit: Visit) -> None:
    visit.open("/inside", "button.part")
    stops = visit.page.locator(".part[tabindex='0']")
    assert stops.count() == 1 and stops.get_attribute("data-key") == "head:1.1"  # the strongest
    stops.focus()
    for key, at in (
        ("ArrowLeft", "head:1.0"),
        ("ArrowUp", "head:0.0"),
        ("ArrowRight", "head:0.1"),
        ("Home", "head:0.0"),
    ):
        visit.page.keyboard.press(key)
        assert focused(visit) == at
    visit.page.keyboard.press("End")
    assert focused(visit) == ""  # the neurons of a block cannot be chosen, but say their number
    assert "MLP 0, the other neurons" in visit.page.locator(".says:popover-open").inner_text()
    visit.page.keyboard.press("Home")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**component=head*0.0*")
    visit.settle()
    assert focused(visit) == "head:0.0"
    visit.page.keyboard.press("Escape")  # closes the bubble
    visit.page.keyboard.press("Escape")
    visit.until(lambda: "component" not in visit.page.url)
    visit.settle()


def test_every_cell_says_its_number(visit: Visit) -> None:
    visit.open("/inside", "button.part")
    cells = visit.page.locator(".part[aria-label]")
    said = cells.evaluate_all("all => all.map(cell => [cell.ariaLabel, cell.dataset.says])")
    assert len(said) >= 2 * (HEADS + 3)
    assert all(label == says and ("nats" in label or "none is kept" in label) for label, says in said)
    part(visit, "head:1.1").hover()
    assert visit.page.locator(".says:popover-open").inner_text().startswith("head 1.1: +2.0")


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_runs_out_of_the_page(chromium: object, server: str, width: int) -> None:
    visit = Visit(chromium, server, viewport={"width": width, "height": 900})
    for address in ("/inside", "/inside?component=head:1.1&effect=taught", "/inside?component=neuron:1.4"):
        visit.open(address, "button.part")
        assert visit.no_sideways_scroll(), (address, width)
    visit.close()


def test_a_point_of_the_chart_opens_its_part(visit: Visit) -> None:
    visit.open("/inside", ".stPlotlyChart svg text")
    chart = visit.page.locator(".stPlotlyChart").filter(has_text="measured, nats")
    chart.scroll_into_view_if_needed()
    chart.locator(".point").first.click(force=True)
    visit.page.wait_for_url("**component=head*")
    visit.settle()


def test_compare_leads_to_the_head_that_reads_a_word(visit: Visit) -> None:
    visit.open("/compare", "button.bar")
    visit.page.locator("button.bar").nth(1).click()
    visit.page.wait_for_url("**/inside*component=head*")
    visit.page.wait_for_selector(".card")
    visit.settle()
    assert visit.page.get_by_text("Head 1.1 of synth-m").count() == 1
