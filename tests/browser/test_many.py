"""Words, groups and verbatim spans by mouse and keyboard: from a token to its word, from a bar to the answers."""

import re
from pathlib import Path

import pytest

from indexer.database.reader import Database
from tests.browser.test_journey import FOCUSED, selected
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def word(folder: Path) -> tuple[str, int, int]:
    """An answer with a word of two tokens."""
    [row] = (
        Database(folder)
        .current()
        .rows("""SELECT generation_id, first, last FROM span
        JOIN generation USING (generation_id) JOIN model USING (model_id)
        WHERE span.kind = 'word' AND first < last AND name = 'synth-l'""")
    )
    return row["generation_id"], row["first"], row["last"]


def test_a_double_click_and_a_key_take_the_word(visit: Visit, word: tuple[str, int, int]) -> None:
    generation, first, last = word
    visit.open(f"/?generation={generation}&token=0")
    visit.page.locator("[role=option]").nth(last).dblclick()
    assert selected(visit) == [first, last]  # at once, before the server answers
    visit.page.wait_for_url(f"**token={first}-{last}*")
    visit.page.wait_for_selector("text=as one target")
    visit.settle()
    assert "rank 1 of 60 scored" in visit.page.locator(".card .facts").first.inner_text()
    visit.page.locator("[role=option]").nth(first).click()
    visit.page.wait_for_url(f"**token={first}")
    visit.page.keyboard.press("w")
    visit.page.wait_for_url(f"**token={first}-{last}*")
    visit.settle()
    visit.page.get_by_role("button", name="The whole answer").click()
    visit.page.wait_for_selector("text=The whole answer as one target")
    assert "token=" not in visit.page.url


def test_what_stands_in_a_training_text_is_underlined(visit: Visit, folder: Path, word: tuple[str, int, int]) -> None:
    visit.open(f"/?generation={word[0]}")
    lines = visit.page.locator("[role=option]").evaluate_all(
        "all => all.map((token) => getComputedStyle(token).textDecorationLine)"
    )
    rows = Database(folder).current().rows("SELECT first, last FROM verbatim WHERE generation_id = ?", [word[0]])
    copied = {i for row in rows for i in range(row["first"], row["last"] + 1)}
    assert copied and copied == {i for i, line in enumerate(lines) if line == "underline"}


def test_a_bar_leads_to_the_answers_that_owe_most_and_they_to_the_word(visit: Visit) -> None:
    visit.open("/")
    bar = visit.page.locator("button.bar", has_text="Factbook")
    bar.focus()
    assert visit.page.evaluate(f"() => {{ {FOCUSED} return element.className; }}") == "bar"
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/runs?**group=source*")
    visit.page.wait_for_selector(".owed")
    visit.settle()
    owed = visit.page.locator(".owed").all_inner_texts()
    assert all(re.match(r"Factbook( [+−][\d.]+( ± [\d.]+)? nats)?, \d of \d, most on “", each) for each in owed)
    assert any("nats" in each for each in owed)  # of the sizes whose slope is known
    visit.page.locator("td button").first.click()
    visit.page.wait_for_selector("[role=option]")
    visit.settle()
    assert len(selected(visit)) == 1


@pytest.mark.parametrize("width", [390, 1920])
def test_nothing_scrolls_sideways(chromium: object, server: str, word: tuple[str, int, int], width: int) -> None:
    visit = Visit(chromium, server, viewport={"width": width, "height": 900})
    for path, until in (
        (f"/?generation={word[0]}", "[role=option]"),
        ("/runs?group=topic:people&side=away", ".owed"),
    ):
        visit.open(path, until)
        assert visit.no_sideways_scroll()
    visit.close()
