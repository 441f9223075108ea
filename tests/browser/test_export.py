"""The exported page opens from a file, without a network, and shows the numbers of the screen."""

from pathlib import Path

import pytest

from tests.browser.visit import Visit

pytestmark = pytest.mark.browser


def download(visit: Visit, label: str, to: Path) -> Path:
    visit.page.get_by_role("button", name="Export").click()
    with visit.page.expect_download() as waiting:
        visit.page.get_by_role("button", name=label).click()
    waiting.value.save_as(to)
    return to


def test_the_exported_page_opens_offline(visit: Visit, chromium: object, server: str, tmp_path: Path) -> None:
    visit.open("/")
    cards = visit.page.locator(".card")
    shown = [cards.locator(name).all_inner_texts() for name in (".score", ".title", ".facts")]
    path = download(visit, "This page (HTML, works offline)", tmp_path / "page.html")
    alone = Visit(chromium, path.as_uri(), offline=True)
    alone.page.goto(path.as_uri())
    assert [alone.page.locator(f".card {name}").all_inner_texts() for name in (".score", ".title", ".facts")] == shown
    assert alone.page.locator("script, link, img, iframe").count() == 0
    alone.close()


@pytest.mark.parametrize("path", ["/runs", "/tokens?filter=Lima", "/compare", "/context", "/corpus", "/sets"])
def test_every_screen_gives_a_table_that_opens_offline(
    visit: Visit, chromium: object, path: str, tmp_path: Path
) -> None:
    visit.open(path, "[data-testid=stMain] button:has-text('Copy link')")
    page = download(visit, "This page (HTML, works offline)", tmp_path / "page.html")
    alone = Visit(chromium, page.as_uri(), offline=True)
    alone.page.goto(page.as_uri())
    assert alone.page.locator("tbody tr").count() > 0
    assert alone.page.locator("script, link, img, iframe").count() == 0
    alone.close()
