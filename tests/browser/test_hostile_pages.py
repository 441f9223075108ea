"""Hostile text in every field, in a real browser: nothing runs, nothing is fetched, nothing escapes its box."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tests.synthetic_database as synthetic
from tests.browser.conftest import serve
from tests.browser.test_journey import SCREENS
from tests.browser.visit import Visit
from tests.dashboard.hostile import hostile_facts

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "FACTS", hostile_facts())
        synthetic.build_synthetic(folder)
    yield from serve(folder, folder / "log")


def test_nothing_runs_and_nothing_is_fetched(chromium: object, hostile: str) -> None:
    visit = Visit(chromium, hostile)
    for path, until in SCREENS.items():
        visit.open(path, until)
        visit.page.wait_for_timeout(300)
        assert visit.page.evaluate("window.hacked") is None
        assert visit.page.locator("iframe").count() == 0
        assert visit.no_sideways_scroll(), path
    visit.close()  # no stranger was asked, no dialog opened
