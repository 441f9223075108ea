"""Hostile text in every field, in a real browser: nothing runs, nothing is fetched, nothing escapes its box."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.database.reader import Database
from tests.browser.conftest import serve
from tests.browser.test_journey import SCREENS
from tests.browser.visit import Visit
from tests.dashboard.hostile import HOSTILE, build_hostile

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    build_hostile(folder)
    for address in serve(folder, folder / "log"):
        yield address, folder


def unhurt(visit: Visit, where: str) -> None:
    visit.page.wait_for_timeout(200)
    assert visit.page.evaluate("window.hacked") is None, where
    assert visit.page.locator("iframe, img[src*='evil'], a[href^='javascript'], [onerror]").count() == 0, where
    assert visit.no_sideways_scroll(), where


def test_nothing_runs_and_nothing_is_fetched(chromium: object, hostile: tuple[str, Path]) -> None:
    visit = Visit(chromium, hostile[0])
    for path, until in SCREENS.items():
        visit.open(path, until)
        unhurt(visit, path)
    visit.close()  # no stranger was asked, no dialog opened


def test_nor_where_clicks_lead(chromium: object, hostile: tuple[str, Path]) -> None:
    """A token and its documents, a document's own page, the table of runs under hostile filters, a hostile question."""
    address, folder = hostile
    visit = Visit(chromium, address)
    visit.open("/")
    visit.page.locator("[role=option]").nth(3).click()
    visit.page.wait_for_url("**token=3*")
    visit.settle()
    visit.page.locator(".card .title").first.click()
    visit.page.wait_for_url("**document=*")
    visit.settle()
    unhurt(visit, "a document of a token")
    rows = Database(folder).current().rows("SELECT document_id FROM document ORDER BY document_id LIMIT 60")
    for row in rows[::12]:
        visit.open(f"/corpus?document={row['document_id']}", "[data-testid=stApp]")
        unhurt(visit, "a document's page")
    visit.page.get_by_label("Ask a new prompt").fill(" ".join(HOSTILE[:5]))
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**job=*")
    visit.page.wait_for_selector("[role=option]")
    unhurt(visit, "a question")
    for number, text in enumerate(HOSTILE[:8]):
        visit.page.goto(f"{address}/runs")
        visit.page.wait_for_selector("table button")
        visit.settle()
        visit.page.keyboard.press("/")
        visit.page.keyboard.insert_text(text.replace("\n", " "))
        visit.page.keyboard.press("Enter")
        visit.page.wait_for_url("**filter=*")
        visit.settle()
        unhurt(visit, f"filter {number}")
    visit.close()


def test_the_watch_sees_what_it_should(chromium: object, hostile: tuple[str, Path]) -> None:
    """A page that does run, fetch and open a dialog: each is noticed, so the silence above means something."""
    visit = Visit(chromium, hostile[0])
    visit.page.set_content(
        "<script>window.hacked = 1; alert('x')</script><img src='http://evil.invalid/a.png'>"
        "<iframe srcdoc='x'></iframe><div style='width: 9000px'>wide</div>"
    )
    visit.page.wait_for_timeout(300)
    assert visit.page.evaluate("window.hacked") == 1
    assert visit.page.locator("iframe").count() == 1
    assert not visit.no_sideways_scroll()
    assert any("evil.invalid" in url for url in visit.strangers)
    assert any(complaint.startswith("dialog") for complaint in visit.complaints)
    visit.context.close()


def test_the_policy_stops_what_the_code_would_let_through(chromium: object, hostile: tuple[str, Path]) -> None:
    """Markup that got into a page of ours after all: the browser refuses to run or fetch it."""
    visit = Visit(chromium, hostile[0])
    visit.open("/")
    visit.page.evaluate(
        """() => { for (const html of ["<img src='http://evil.invalid/a.png' onerror='window.hacked=1'>",
            "<iframe srcdoc='<script>parent.hacked=1</script>'></iframe>",
            "<svg onload='window.hacked=1'></svg>", "<link rel=stylesheet href='http://evil.invalid/a.css'>"]) {
            const box = document.createElement('div'); box.innerHTML = html; document.body.append(box); } }"""
    )
    visit.page.wait_for_timeout(500)
    assert visit.page.evaluate("window.hacked") is None
    assert visit.complaints and all("Content Security Policy" in complaint for complaint in visit.complaints)
    visit.context.close()
