"""What an analyst sees first, and the first clicks: words and tokens, the fork of the sizes, by mouse and keyboard."""

from pathlib import Path

import pytest

from tests.browser.test_journey import FOCUSED, selected, tab_to
from tests.browser.test_many import word
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
__all__ = ["word"]  # a fixture

CLIPPED = """() => [...document.querySelectorAll("[role=radiogroup] button")].filter((node) => {
    const { left, right } = node.getBoundingClientRect();
    return left < 0 || right > innerWidth;
}).length"""


def test_the_fork_is_found_from_the_opening_page(visit: Visit) -> None:
    visit.open("/")
    assert visit.page.title() == "Explain · Whence"
    assert visit.page.locator("h1").all_inner_texts() == ["Explain"]
    assert selected(visit) == [] and "token=" not in visit.page.url  # the whole answer
    story = visit.page.locator(".st-key-story .block")
    wrote, made, others = story.all_inner_texts()
    assert " wrote “" in wrote and made.startswith("The document that made this answer most likely is ")
    assert visit.page.locator(".card .title").first.inner_text() in made and " wrote “" in others
    steps = visit.page.locator(".steps li")
    assert steps.count() == 3
    visit.page.get_by_role("button", name="Got it").click()
    assert not steps.first.is_visible()
    visit.open("/")  # the browser keeps it
    assert not steps.first.is_visible()
    tab_to(visit, "element.tagName === 'A'")
    assert visit.page.evaluate(f"() => {{ {FOCUSED} return getComputedStyle(element).outlineStyle; }}") == "solid"
    visit.page.get_by_role("button", name="Compare the sizes").click()
    visit.page.wait_for_selector("table button")
    visit.settle()
    assert visit.page.title() == "Compare · Whence" and visit.page.locator("td.fork, td .fork").count()


def test_a_click_takes_the_word_the_next_a_token_the_next_the_whole_answer(
    visit: Visit, word: tuple[str, int, int]
) -> None:
    generation, first, last = word
    visit.open(f"/?generation={generation}")
    tokens = visit.page.locator("[role=option]")
    for i, taken, address in (
        (last, [first, last], f"token={first}-{last}"),
        (last, [last], f"token={last}"),
        (first, [first], f"token={first}"),
        (first, [], ""),
        (first, [first, last], f"token={first}-{last}"),
    ):
        tokens.nth(i).click()
        assert selected(visit) == taken  # at once, before the server answers
        visit.until(lambda address=address: visit.page.url.partition(generation)[2].removeprefix("&") == address)
    tokens.nth(first - 2).click(modifiers=["Shift"])
    assert selected(visit) == list(range(first - 2, last + 1))
    visit.until(lambda: f"token={first - 2}-{last}" in visit.page.url)
    visit.settle()
    readout = visit.page.locator(".readout").first
    assert f"{last - first + 3} tokens together, probability" in readout.inner_text()  # not its last token
    keys = visit.page.keyboard
    tokens.nth(first - 1).click()
    for key, taken in (
        ("ArrowRight", [first, last]),
        ("Enter", [first]),
        ("ArrowRight", [last]),
        ("Enter", []),
        ("Enter", [first, last]),
        ("ArrowLeft", [first - 1]),
    ):
        keys.press(key)
        assert selected(visit) == taken, key
    visit.until(lambda: visit.page.url.endswith(f"token={first - 1}"))


def test_a_document_is_a_shading_of_its_own_and_a_slash_stays_here(visit: Visit) -> None:
    visit.open("/")
    visit.page.locator(".card .title").first.click()
    visit.page.wait_for_url("**document=*")
    chosen = visit.page.locator(".st-key-shade [aria-checked=true]")
    visit.until(lambda: chosen.all_inner_texts() == ["This document"])
    visit.page.wait_for_selector("text=This document, ")
    tab_to(visit, "element.className === 'title'")
    visit.page.keyboard.press("/")
    assert visit.page.evaluate(f"() => {{ {FOCUSED} return element.ariaLabel; }}") == "Ask a new prompt"
    assert "/runs" not in visit.page.url


def test_a_chosen_layer_changes_shading_heat_and_their_legends(visit: Visit) -> None:
    visit.open("/")
    heated = visit.page.locator(".card .text .token:is([data-hue=warm], [data-hue=cool])")
    assert heated.count()
    layer = visit.page.locator("button.bar", has_text="MLP 0")
    layer.click()
    visit.page.wait_for_selector("text=Strongest document through MLP 0")
    visit.page.wait_for_selector("text=computed for all layers together only")
    visit.settle()
    assert not heated.count() and visit.page.locator(".text.unheated").count()


def test_at_390_points_no_choice_is_cut(chromium: object, server: str, folder: Path) -> None:
    visit = Visit(chromium, server, viewport={"width": 390, "height": 900})
    visit.open("/")
    assert visit.page.locator(".st-key-shade button").count() == 5
    assert visit.page.evaluate(CLIPPED) == 0 and visit.no_sideways_scroll()
    visit.close()
