"""Numbers on the page equal SQL, for thirty sampled states of the synthetic database and, where built, of the demo."""

import random
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.database.reader import Database, Snapshot
from tests.browser.conftest import ROOT, serve
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
DEMO = ROOT / "data" / "demo" / "build"
EXPLAINED, COMPARED = 22, 8

TOP = """SELECT document_id, score, layer_scores FROM influence WHERE run_id = ? AND generation_id = ? AND position = ?
    AND score > 0 ORDER BY rank LIMIT 10"""


@pytest.fixture(params=["synthetic", "demo"])
def database(
    request: pytest.FixtureRequest, folder: Path, server: str, tmp_path: Path
) -> Iterator[tuple[Snapshot, str]]:
    """A snapshot and the address of a dashboard on it."""
    if request.param == "synthetic":
        yield Database(folder).current(), server
        return
    if not (DEMO / "CURRENT").exists():
        pytest.skip("the demo is not built; `make build` builds it")
    snapshot = Database(DEMO).current()
    for address in serve(DEMO, tmp_path / "log"):
        yield snapshot, address


def shown(text: str) -> tuple[float, float]:
    """A number as it stands on the page, and half a unit of its last digit."""
    plain = text.replace("−", "-").replace("+", "").replace(",", "")
    digits = re.sub(r"e.*", "", plain)
    exponent = int(plain.partition("e")[2] or 0)
    places = len(digits.partition(".")[2])
    return float(plain), 0.51 * 10 ** (exponent - places)


def test_numbers_equal_sql(chromium: object, database: tuple[Snapshot, str]) -> None:
    snapshot, address = database
    rng = random.Random(7)
    visit = Visit(chromium, address)
    targets = snapshot.rows("""SELECT run_id, generation_id, position FROM target JOIN run USING (run_id)
        WHERE method = 'ekfac' ORDER BY run_id, generation_id, position""")
    states = rng.sample(targets, EXPLAINED)
    for state in states:
        _explained(visit, snapshot, state)
    compared = 0
    for state in rng.sample(targets, len(targets)):
        if compared < COMPARED and state["position"] < 3:
            _compared(visit, snapshot, state)
            compared += 1
    print(f"{len(states) + compared} states: top documents, sums of layers, overlap at 10 and forks equal SQL")
    visit.close()


def _explained(visit: Visit, snapshot: Snapshot, state: dict[str, object]) -> None:
    """Ids and scores of the ten most helpful documents; the layers of all of them add up to what the page says."""
    visit.open(f"/?generation={state['generation_id']}&token={state['position']}")
    rows = snapshot.rows(TOP, list(state.values()))
    cards = visit.page.locator(".card").evaluate_all(
        "all => all.map(card => [card.dataset.id, card.querySelector('.score').firstChild.textContent])"
    )
    assert [card[0] for card in cards] == [row["document_id"] for row in rows], state
    for (_, text), row in zip(cards, rows, strict=True):
        value, rounding = shown(text)
        assert abs(value - row["score"]) <= rounding, (state, text, row["score"])
    said = visit.page.locator("text=/documents shown: .* nats in all/").inner_text()
    value, rounding = shown(re.search(r"shown: (\S+) nats", said)[1])  # type: ignore[index]
    total = sum(sum(row["layer_scores"]) for row in rows)
    assert abs(value - total) <= rounding + 1e-4 * abs(total), (state, said, total)


def _compared(visit: Visit, snapshot: Snapshot, state: dict[str, object]) -> None:
    """Overlap at 10 of every pair of sizes, and where each departs from the one above."""
    position = state["position"]
    visit.open(f"/compare?generation={state['generation_id']}&token={position}", "table button")
    sizes = snapshot.rows(
        """SELECT name, generation_id, first(run_id ORDER BY method <> 'ekfac', run_id) AS run_id FROM generation
        JOIN model USING (model_id) LEFT JOIN run USING (model_id)
        WHERE prompt_id = (SELECT prompt_id FROM generation WHERE generation_id = ?)
        GROUP BY name, n_params, generation_id, created_at ORDER BY n_params, name, created_at""",
        [state["generation_id"]],
    )
    tops = {
        size["name"]: {r["document_id"] for r in snapshot.rows(TOP, [size["run_id"], size["generation_id"], position])}
        for size in sizes
    }
    text = " ".join(visit.page.locator(".block.note").all_inner_texts())
    names = [name for name, top in tops.items() if top]
    for i, small in enumerate(names):
        for large in names[i + 1 :]:
            one, other = tops[small], tops[large]
            share = 100 * len(one & other) / max(len(one), len(other))
            assert f"{small} and {large}: overlap at 10 {share:.1f} %" in text, (state, text)
    written = [
        [
            r["text"]
            for r in snapshot.rows(
                "SELECT text FROM generation_token WHERE generation_id = ? ORDER BY position", [size["generation_id"]]
            )
        ]
        for size in sizes
    ]
    flags = visit.page.locator("tr").evaluate_all(
        """rows => rows.filter(row => row.querySelector('.flag')).map(row =>
            [...row.querySelectorAll('.flag')].flatMap((flag, i) => flag.textContent ? [i] : []))"""
    )
    for above, below, forks in zip(written, written[1:], flags[1:], strict=False):
        differ = [i for i, (a, b) in enumerate(zip(above, below, strict=False)) if a != b]
        assert forks == differ[:1], state
