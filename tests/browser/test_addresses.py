"""A copied address, opened by somebody else, shows the same selection and the same numbers, on every screen."""

from pathlib import Path
from urllib.parse import urlencode

import pytest

from indexer.database.reader import Database
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
SAID = Path(__file__).with_name("said.js").read_text(encoding="utf-8")


def said(visit: Visit) -> list[str]:
    """What the page says once its charts are drawn."""
    before: list[str] = []
    while (now := visit.page.evaluate(SAID)) != before:
        before = now
        visit.page.wait_for_timeout(400)
    return before


def views(folder: Path) -> dict[str, str]:
    """screen -> an address with much selected."""
    snapshot = Database(folder).current()
    [row] = snapshot.rows("""SELECT generation_id, document_id FROM influence JOIN generation USING (generation_id)
        JOIN model USING (model_id) WHERE name = 'synth-l' AND position = 2 AND rank = 2
        ORDER BY generation_id LIMIT 1""")
    [asked] = snapshot.rows("""SELECT generation_id, part FROM generation JOIN prompt_part USING (prompt_id)
        WHERE kind = 'document' ORDER BY generation_id, part LIMIT 1""")
    chosen = {"generation": row["generation_id"], "token": "1-2", "document": row["document_id"]}
    return {
        "explain": "/?" + urlencode(chosen | {"scale": "relatif_l", "side": "both", "shade": "surprise"}),
        "runs": "/runs?" + urlencode({"filter": "Li", "match": "prefix", "size": "synth-m", "topic": "capital"}),
        "compare": "/compare?" + urlencode({"generation": row["generation_id"], "token": "3", "compare": "same"}),
        "inside": "/inside?" + urlencode(chosen | {"component": "head:1.1", "effect": "direct"}),
        "context": "/context?"
        + urlencode({"generation": asked["generation_id"], "part": asked["part"], "cti": "-2", "cues": "-20"}),
        "corpus": "/corpus?" + urlencode({"search": "capital", "document": row["document_id"], "size": "synth-m"}),
        "sets": "/sets?" + urlencode({"set": "capitals-not-london", "size": "synth-m", "side": "both", "by": "topic"}),
    }


def test_the_same_is_shown_to_everybody(chromium: object, server: str, folder: Path) -> None:
    for screen, address in views(folder).items():
        first, second = Visit(chromium, server), Visit(chromium, server)
        first.open(address, "[data-testid=stMain] button:has-text('Copy link')")
        shown = said(first)
        spelled = first.page.evaluate("location.pathname + location.search")
        second.open(spelled, "[data-testid=stMain] button:has-text('Copy link')")
        assert said(second) == shown, screen
        assert second.page.evaluate("location.pathname + location.search") == spelled
        assert len(shown) > 8, screen
        first.close()
        second.close()


@pytest.mark.parametrize("path", ["/", "/compare", "/inside", "/context", "/corpus", "/sets"])
def test_unknown_ids_get_a_friendly_line(visit: Visit, path: str) -> None:
    wrong = urlencode(
        {
            "generation": "<script>alert(1)</script>",
            "document": "no such",
            "token": "9999",
            "part": "77",
            "component": "<b>:1.1",
            "set": "<i>",
            "whatif": "no such",
        }
    )
    visit.open(f"{path}?{wrong}", "[data-testid=stMain] .block, [data-testid=stMain] [role=option]")
    assert visit.page.locator("[data-testid=stException]").count() == 0
