"""Every drawn number says its value on hover and on focus by the keyboard; Escape closes what says it."""

import re
from collections.abc import Iterator

import pytest

from tests.browser.test_journey import FOCUSED
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser

SAYS = """() => {
    const found = [];
    const visit = (root) => {
        for (const node of root.querySelectorAll("*")) {
            if (node.shadowRoot) visit(node.shadowRoot);
            if (!node.matches(".says:popover-open")) continue;
            const { left, right, top, bottom } = node.getBoundingClientRect();
            found.push([node.textContent, left >= 0 && right <= innerWidth && top >= 0 && bottom <= innerHeight]);
        }
    };
    visit(document);
    return found;
}"""

DRAWN = [  # address, what shows that it is there, a drawn number, what its value looks like, reached by Tab
    ("/", "[role=option]", ".answer .token", r"nats|bits|%", True),
    ("/", "[role=option]", ".prompt .token[data-says]", "saliency", True),
    ("/", "[role=option]", ".card .score", "nats|%", False),  # the button beside it says the same by the keyboard
    ("/", "[role=option]", ".card .title", "nats|%", True),
    ("/", "[role=option]", ".card .text .token", r"([+−]\d|less than \d).* (nats|%)", True),
    ("/", "[role=option]", ".bars .bar", r": [+−]\d", True),
    ("/", "[role=option]", ".stack .part", "bits", True),
    ("/compare", "table button", "td button", "probability", True),
    ("/compare", "table button", "td.cell[data-says]", "rank .*%", True),
    ("/runs", "td button", "td button", "% of its bits from the prompt", True),
    ("/context", "[role=option]", ".citation", "Sentence 1, ", True),
    ("/context", "[role=option]", ".card .score", "% of the cues", False),
]


@pytest.fixture(scope="module", params=[390, 1280])
def page(request: pytest.FixtureRequest, chromium: object, server: str) -> Iterator[Visit]:
    visit = Visit(chromium, server, viewport={"width": request.param, "height": 900})
    yield visit
    visit.close()


@pytest.mark.parametrize(("path", "until", "drawn", "value", "by_key"), DRAWN, ids=[f"{d[0]} {d[2]}" for d in DRAWN])
def test_a_drawn_number_says_its_value(
    page: Visit, path: str, until: str, drawn: str, value: str, by_key: bool
) -> None:
    page.open(path, until)
    first = page.page.locator(drawn).first
    first.scroll_into_view_if_needed()
    page.page.mouse.move(0, 0)
    first.hover()
    said(page, value)
    page.page.mouse.move(0, 0)
    assert page.page.evaluate(SAYS) == []
    if not by_key:
        return
    page.page.keyboard.press("Shift")  # the keyboard was used last, so focus is meant to be seen
    first.focus()
    page.page.keyboard.press("ArrowRight")
    page.page.keyboard.press("ArrowLeft")
    text = said(page, value)
    spoken = page.page.evaluate(f"""() => {{ {FOCUSED}
        return `${{element.ariaLabel ?? ""}} ${{element.getAttribute("aria-description") ?? ""}}`; }}""")
    numbers = re.findall(r"\d+(?:\.\d+)?", text)
    assert numbers and numbers[0] in spoken and re.search(value, spoken), (text, spoken)
    page.page.keyboard.press("Escape")
    assert page.page.evaluate(SAYS) == []
    page.settle()


def said(page: Visit, value: str) -> str:
    """What the one open bubble says; it lies inside the window."""
    page.until(lambda: bool(page.page.evaluate(SAYS)))
    [[text, inside]] = page.page.evaluate(SAYS)
    assert re.search(value, text), text
    assert inside, text
    return str(text)
