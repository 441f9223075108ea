"""Every screen in both themes: legible as rendered, named for assistive technology, photographed for people to look at.

WHENCE_SCREENSHOTS=FOLDER keeps the pictures.
"""

import os
from pathlib import Path

import pytest

from tests.browser.test_journey import SCREENS
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
CONTRAST, NAMES = ((HERE / name).read_text(encoding="utf-8") for name in ("contrast.js", "names.js"))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_screen_is_legible_and_named(chromium: object, server: str, theme: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("WHENCE_SCREENSHOTS", tmp_path))
    visit = Visit(chromium, server, color_scheme=theme)
    for path, until in SCREENS.items():
        visit.open(path, until)
        visit.until(lambda: visit.page.evaluate(CONTRAST)[-1][0] > 0)  # text in a component of ours
        worst = visit.page.evaluate(CONTRAST)
        assert all(ratio >= 4.5 for ratio, *_ in worst[:-1]), (path, worst)
        assert visit.page.evaluate(NAMES) == [], path
        visit.page.screenshot(path=folder / f"{theme}-{path.strip('/') or 'explain'}.png", full_page=True)
    visit.close()
