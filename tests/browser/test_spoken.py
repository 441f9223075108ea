"""Screen readers: the browser's accessibility tree has the value of every number that is drawn, and of every chart."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_journey import SCREENS
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
DRAWN = Path(__file__).with_name("drawn_numbers.js").read_text(encoding="utf-8")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
MOST = 400  # elements of a page that are asked about one by one
PAGES = SCREENS | {"/tokens?filter=Lima": "table button[data-id]", "/corpus?search=capital": ".card"}
DRAWS_NONE = {"/about", "/corpus?search=capital"}  # nothing of ours; their tables are the browser's
SAYS = "function () { return this.dataset.says ?? this.querySelector('[data-says]').dataset.says; }"


def spoken(session: Any, element: dict[str, Any]) -> str:
    """Name, description and value of an element and of what it holds, as the accessibility tree has them."""
    told = session.send("Accessibility.queryAXTree", {"objectId": element["objectId"]})
    said = [
        str(node.get(part, {}).get("value", ""))
        for node in told["nodes"]
        if not node["ignored"]
        for part in ("name", "description", "value")
    ]
    return " ".join(said)


@pytest.mark.parametrize("path", PAGES)
def test_the_tree_names_every_drawn_number(visit: Visit, path: str) -> None:
    visit.open(path, PAGES[path])
    session = visit.context.new_cdp_session(visit.page)
    session.send("Accessibility.enable")
    all_drawn = session.send("Runtime.evaluate", {"expression": DRAWN})["result"]["objectId"]
    listed = session.send("Runtime.getProperties", {"objectId": all_drawn, "ownProperties": True})["result"]
    elements = [each["value"] for each in listed if each["name"].isdigit()][:MOST]
    assert bool(elements) == (path not in DRAWS_NONE)
    silent = []
    for element in elements:
        says = session.send(
            "Runtime.callFunctionOn",
            {"objectId": element["objectId"], "functionDeclaration": SAYS},
        )["result"]["value"]
        said = set(NUMBER.findall(spoken(session, element)))
        if not set(NUMBER.findall(says)) <= said:
            silent.append((says, sorted(said)))
    assert silent == []
    charts = visit.page.locator(".stPlotlyChart").evaluate_all("all => all.map(each => each.ariaLabel ?? '')")
    assert all(NUMBER.search(each) for each in charts), charts
