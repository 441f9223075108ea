"""The way of an analyst, in a real browser: from the first page to the documents behind a token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dashboard.address.screen import paths
from indexer.database.reader import Database
from tests.browser.conftest import serve
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser

SLOWEST = {  # of a screen, what comes last
    "/": "[role=option]",
    "/runs": "table button",
    "/tokens": "button.bar",
    "/compare": "table button",
    "/inside": "table button",
    "/context": "[role=option]",
    "/corpus": ".card",
    "/sets": ".card",
    "/about": "[data-testid=stDataFrame]",
}
SCREENS = {path: SLOWEST.get(path, ".st-key-page") for path in paths()}  # path -> what shows that the screen is there

FOCUSED = """let element = document.activeElement;
    while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;"""


def selected(visit: Visit) -> list[int]:
    states = visit.page.locator("[role=option]").evaluate_all("all => all.map(o => o.getAttribute('aria-selected'))")
    return [i for i, state in enumerate(states) if state == "true"]


def test_a_click_on_a_token_leads_to_its_documents(visit: Visit, folder: Path) -> None:
    visit.open("/")
    assert selected(visit) == []  # the whole answer
    visit.page.locator("[role=option]").nth(3).click()
    assert selected(visit) == [3]  # at once, before the server answers
    visit.page.wait_for_url("**token=3*")
    visit.settle()
    generation = visit.page.url.split("generation=")[1].split("&")[0]
    rows = (
        Database(folder)
        .current()
        .rows(
            """SELECT document_id FROM influence WHERE generation_id = ? AND position = 3 AND score > 0
        ORDER BY rank LIMIT 10""",
            [generation],
        )
    )
    cards = visit.page.locator(".list").first.locator(".card").evaluate_all("all => all.map(card => card.dataset.id)")
    assert cards == [row["document_id"] for row in rows]


def test_a_copied_address_shows_the_same(visit: Visit, chromium: object, server: str) -> None:
    visit.open("/")
    visit.page.locator("[role=option]").nth(2).click()
    visit.page.wait_for_url("**token=2*")
    visit.settle()
    visit.page.locator(".card .title").nth(1).click()
    visit.page.wait_for_url("**document=*")
    visit.settle()
    seen = visit.page.locator(".card").all_inner_texts()
    other = Visit(chromium, server)
    other.open(visit.page.url.removeprefix(server))
    assert selected(other) == [2]
    assert other.page.locator(".card").all_inner_texts() == seen
    assert other.page.locator(".card[aria-current=true]").count() == 1
    other.close()


def test_back_and_forward_restore_the_selection(visit: Visit) -> None:
    visit.open("/")
    visit.page.locator("[role=option]").nth(1).click()
    visit.page.wait_for_url("**token=1*")
    visit.settle()
    visit.page.locator("[role=option]").nth(4).click()
    visit.page.wait_for_url("**token=4*")
    visit.settle()
    for move, token in ((visit.page.go_back, 1), (visit.page.go_forward, 4)):
        move()  # the browser's address changes before the server has heard of it: the strip tells when it has
        visit.until(lambda token=token: selected(visit) == [token])
        visit.settle()
        assert selected(visit) == [token] and f"token={token}" in visit.page.url


def tab_to(visit: Visit, there: str) -> None:
    """Press Tab until the focused element, seen through shadow roots, passes the test."""
    for _ in range(80):
        visit.page.keyboard.press("Tab")
        if visit.page.evaluate(f"(() => {{ {FOCUSED} return {there}; }})()"):
            return
    raise AssertionError(f"Tab never led to {there}")


def test_a_keyboard_finds_what_drove_a_token(visit: Visit, folder: Path) -> None:
    """No mouse, no script that moves the focus: from the top of the page to the document behind token 2, and back."""
    visit.open("/")
    keys = visit.page.keyboard
    tab_to(visit, "element.role === 'option'")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    assert selected(visit) == [2]
    keys.press("Shift+ArrowRight")
    assert selected(visit) == [2, 3]
    visit.page.wait_for_url("**token=2-3*")
    keys.press("End")
    keys.press("Home")
    keys.press("ArrowRight")
    keys.press("ArrowRight")
    visit.page.wait_for_url("**token=2")
    visit.settle()
    assert visit.page.evaluate(f"(() => {{ {FOCUSED} return element.role; }})()") == "option"  # new data let it stay
    tab_to(visit, "element.className === 'title'")
    keys.press("Enter")
    visit.page.wait_for_url("**document=*")
    visit.settle()
    generation = visit.page.url.split("generation=")[1].split("&")[0]
    [row] = (
        Database(folder)
        .current()
        .rows("SELECT document_id FROM influence WHERE generation_id = ? AND position = 2 AND rank = 1", [generation])
    )
    assert f"document={row['document_id']}" in visit.page.url
    keys.press("Escape")
    visit.until(lambda: "document=" not in visit.page.url)
    keys.press("Escape")
    visit.until(lambda: "token=" not in visit.page.url)
    before = visit.page.url
    keys.press("[")  # the example is the largest size's
    visit.until(lambda: visit.page.url != before)
    visit.settle()
    keys.press("/")  # there is no filter here: one may ask
    visit.until(lambda: bool(visit.page.evaluate("document.activeElement.ariaLabel === 'Ask a new prompt'")))


def test_from_runs_to_explain(visit: Visit) -> None:
    visit.open("/")
    visit.page.get_by_role("link", name="Runs").click()
    visit.page.wait_for_selector("table button")
    visit.settle()
    visit.page.keyboard.press("/")
    visit.page.keyboard.type("Lima")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**filter=Lima*")
    rows, fitting = visit.page.locator("tbody tr"), visit.page.locator("tbody tr:has-text('Lima')")
    visit.until(lambda: rows.count() == fitting.count() > 0)  # the address changes before the server is asked
    visit.page.locator("table button:has-text('Lima')").first.click()
    visit.page.wait_for_selector("[role=option]:has-text('Lima')")


def test_the_navigation_leads_to_the_first_page_of_another_list(visit: Visit) -> None:
    visit.open("/runs?page=2&in=documents", "table button")
    visit.page.get_by_role("link", name="Corpus").click()
    visit.page.wait_for_url("**/corpus?in=documents")
    visit.page.get_by_role("link", name="Runs").click()
    visit.page.wait_for_url("**/runs?in=documents&page=2")


def test_a_new_prompt_is_answered(visit: Visit) -> None:
    visit.open("/")
    visit.page.get_by_label("Ask a new prompt").fill("The capital of France is")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**job=*")
    options = visit.page.locator("[role=option]")
    visit.until(lambda: options.all_inner_texts() == ["Paris", ".", "end of text"])  # three: it is not the example
    visit.page.wait_for_selector("text=/Prompt saliency, as a part/ >> visible=true")
    visit.settle()
    assert selected(visit) == []  # nothing is scored yet that it could open on


@pytest.mark.parametrize("path", SCREENS)
def test_no_screen_scrolls_sideways_and_none_complains(chromium: object, server: str, path: str) -> None:
    visit = Visit(chromium, server)
    visit.open(path, SCREENS[path])
    for width in (390, 1280, 1920):
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.wait_for_timeout(300)
        assert visit.no_sideways_scroll(), width
    visit.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "build").mkdir()
    yield from serve(tmp_path / "build", tmp_path / "log")


def test_an_empty_folder_explains_itself(chromium: object, empty: str) -> None:
    visit = Visit(chromium, empty)
    visit.open("/", "text=whence build CONFIG")
    visit.close()


def test_the_server_never_loads_torch(visit: Visit) -> None:
    """After a look at every screen, and after a question, which another process answers."""
    for path, until in SCREENS.items():
        visit.open(path, until)
    port = visit.address.rsplit(":", 1)[1].encode()
    servers = [
        process
        for process in Path("/proc").glob("[0-9]*")
        if {b"dashboard", port} <= set(_read(process / "cmdline").split(b"\0"))
    ]
    assert servers
    for process in servers:
        mapped = _read(process / "maps")
        assert b"libduckdb" in mapped or b"duckdb" in mapped
        assert b"/torch/" not in mapped


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
