"""Conversations, long documents and deep models in a real browser, in both themes and at three widths."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from unittest.mock import patch

import pytest

from indexer.database.reader import Database
from tests import synthetic_database
from tests.browser.conftest import serve
from tests.browser.test_accessibility import RUN, axe
from tests.browser.test_appearance import CONTRAST, NAMES
from tests.browser.visit import Visit
from tests.synthetic_reading import conversation

pytestmark = pytest.mark.browser
CHAT = conversation()
HELD = "[...document.querySelectorAll('*')].map((e) => e.shadowRoot?.activeElement).find((e) => e?.dataset.key)"


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of sixteen blocks, with a long conversation in its corpus."""
    folder = tmp_path_factory.mktemp("deep")
    with patch.dict(synthetic_database.SIZES, {"deep": (16, 10_000_000)}, clear=True):
        synthetic_database.build_synthetic(folder, extra=[CHAT])
    return folder


@pytest.fixture(scope="module")
def address(deep: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(deep, tmp_path_factory.mktemp("log") / "server.log")


@pytest.fixture(scope="module")
def pages(deep: Path) -> dict[str, tuple[str, str]]:
    """path, and what shows that it is there."""
    snapshot = Database(deep).current()
    [best] = snapshot.rows(
        "SELECT generation_id, position FROM influence WHERE document_id = ? AND rank = 1 ORDER BY ALL LIMIT 1",
        [CHAT.document_id],
    )
    [chat] = snapshot.rows("SELECT generation_id FROM generation JOIN prompt USING (prompt_id) WHERE kind = 'chat'")
    card = f"/?generation={best['generation_id']}&token={best['position']}"
    return {
        "card": (card, ".card .more"),
        "opened": (f"{card}&document={CHAT.document_id}", ".card .role"),
        "document": (f"/corpus?document={CHAT.document_id}", ".card .role"),
        "chat": (f"/?generation={chat['generation_id']}&token=0", ".prompt .role"),
        "runs": ("/runs", "table .role"),
        "compare": (f"/compare?generation={chat['generation_id']}&token=0", "table button"),
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_they_can_be_read_by_everybody(
    chromium: object, address: str, pages: dict[str, tuple[str, str]], theme: str
) -> None:
    source = files(axe).joinpath("axe.min.js").read_text(encoding="utf-8")
    visit = Visit(chromium, address, color_scheme=theme)
    for name, (path, until) in pages.items():
        visit.open(path, until)
        worst = visit.page.evaluate(CONTRAST)
        assert worst[-1][0] > 0  # texts in components of ours
        assert all(ratio >= 4.5 for ratio, *_ in worst[:-1]), (name, worst)
        assert visit.page.evaluate(NAMES) == [], name
        visit.page.evaluate(source)
        assert [each for each in visit.page.evaluate(RUN) if each[1]] == [], name
        for width in (390, 1280, 1920):
            visit.page.set_viewport_size({"width": width, "height": 900})
            visit.page.wait_for_timeout(200)
            assert visit.no_sideways_scroll(), (name, width)
    visit.close()


def test_input_45_a_passage_opens_to_the_whole_document(
    chromium: object, address: str, pages: dict[str, tuple[str, str]]
) -> None:
    visit = Visit(chromium, address)
    visit.open(*pages["card"])
    card = visit.page.locator(f".card[data-id='{CHAT.document_id}']")
    assert card.locator(".more").count() == 2
    assert "Tokyo" in card.locator(".text").inner_text()
    assert "patient guide" not in card.locator(".text").inner_text()
    card.locator(".title").press("Enter")  # by the keyboard
    visit.until(lambda: card.locator(".more").count() == 0)
    assert "patient guide" in card.locator(".text").inner_text()
    assert card.locator(".role").all_inner_texts()[:3] == ["system", "user", "assistant"]
    visit.close()


def test_input_47_blocks_unfold_by_the_keyboard(
    chromium: object, address: str, pages: dict[str, tuple[str, str]]
) -> None:
    visit = Visit(chromium, address)
    visit.open(*pages["card"])
    bars = visit.page.locator(".bars:has(.fold) .bar:visible")
    assert bars.count() == 17  # sixteen blocks and the embedding
    fold = visit.page.get_by_label("Parts of Block 3", exact=True)
    assert fold.get_attribute("aria-expanded") == "false"
    fold.press("Enter")
    assert fold.get_attribute("aria-expanded") == "true"
    assert bars.count() == 19
    visit.page.locator(".bar[data-key='mlp-3']").click()
    visit.page.wait_for_url("**layer=mlp-3*")
    visit.settle()
    assert bars.count() == 19  # it stays unfolded
    visit.page.locator(".bar[data-key='block-5']").click()
    visit.page.wait_for_url("**layer=block-5*")
    visit.close()


def test_input_47_bars_that_are_no_buttons_are_walked_as_far_as_they_are_shown(
    chromium: object, address: str, pages: dict[str, tuple[str, str]]
) -> None:
    visit = Visit(chromium, address)
    visit.open(pages["document"][0], ".bars .fold")

    def key() -> str:
        return visit.page.evaluate(f"{HELD}.dataset.key")

    def stops() -> list[str]:
        found = visit.page.locator(".bars .bar[tabindex='0']:visible")
        return [found.nth(i).get_attribute("data-key") for i in range(found.count())]

    [first] = stops()
    fold = visit.page.get_by_label("Parts of Block 3", exact=True)
    visit.page.locator(f".bar[data-key='{first}']").focus()
    walked = [key()]
    for _ in range(16):
        visit.page.keyboard.press("ArrowDown")
        walked.append(key())
    assert len(set(walked)) == 17 and not any(each.startswith(("mlp", "attn", "attention")) for each in walked)
    fold.press("Enter")
    assert stops() == [walked[-1]]  # what is shown anew is no stop of its own
    visit.page.locator(f".bar[data-key='{walked[-1]}']").focus()
    visit.page.keyboard.press("Home")
    again = [key()]
    for _ in range(18):
        visit.page.keyboard.press("ArrowDown")
        again.append(key())
    parts = [each for each in again if each not in walked]
    assert len(set(again)) == 19 and len(parts) == 2
    visit.page.locator(f".bar[data-key='{parts[1]}']").focus()
    fold.press("Enter")  # hides the stop
    assert stops() == [first]
    visit.close()
