"""A database that is replaced while a page is open: a banner, and the new one when the analyst asks for it."""

from pathlib import Path

import pytest

from tests.browser.conftest import serve
from tests.browser.visit import Visit
from tests.synthetic_database import build_synthetic

pytestmark = pytest.mark.browser


def test_a_banner_tells_and_shows_the_new_one(chromium: object, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    build_synthetic(folder)
    for address in serve(folder, tmp_path / "log"):
        _replace(Visit(chromium, address), folder)


def _replace(visit: Visit, folder: Path) -> None:
    visit.open("/")
    scores = visit.page.locator(".card .score")
    before = scores.all_inner_texts()
    build_synthetic(folder, seed=1)
    visit.page.wait_for_selector("text=A newer database was published")
    assert scores.all_inner_texts() == before  # nothing moves under the reader
    visit.page.get_by_role("button", name="Show the new one").click()
    visit.page.wait_for_selector("text=A newer database was published", state="detached")
    visit.until(lambda: scores.all_inner_texts() != before)
    visit.close()
