"""Numbers on the page equal SQL, for thirty sampled states of the synthetic database and, where built, of the demo."""

import random
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from indexer.database.reader import Database, Snapshot
from tests.browser.conftest import ROOT, playwright, serve
from tests.browser.visit import PATIENCE, Visit
from tests.dashboard.calibrated import nats, percent

pytestmark = pytest.mark.browser
DEMO = ROOT / "data" / "demo" / "build"
EXPLAINED, COMPARED, INSIDE = 22, 8, 6

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
    """The page is loaded once for each screen: what a fresh load shows is tests/browser/test_addresses.py's."""
    snapshot, address = database
    rng = random.Random(7)
    visit = Visit(chromium, address)
    targets = snapshot.rows("""SELECT run_id, generation_id, position FROM target JOIN run USING (run_id)
        WHERE method = 'ekfac' ORDER BY run_id, generation_id, position""")
    states = rng.sample(targets, EXPLAINED)
    visit.open()
    for state in states:
        visit.go(f"/?generation={state['generation_id']}&token={state['position']}&run={state['run_id']}")
        _agrees(visit, partial(_explained, visit, snapshot, state))
    first = [state for state in rng.sample(targets, len(targets)) if state["position"] < 3][:COMPARED]
    visit.open("/compare", "table button")
    for state in first:
        visit.go(f"/compare?generation={state['generation_id']}&token={state['position']}&unit=token")
        _agrees(visit, partial(_compared, visit, snapshot, state))
    within = [state for state in rng.sample(targets, INSIDE) if _is_split(snapshot, state)]
    if within:
        visit.open("/inside", "button.part")
    for state in within:
        visit.go(f"/inside?generation={state['generation_id']}&token={state['position']}&run={state['run_id']}")
        _agrees(visit, partial(_inside, visit, snapshot, state))
    print(f"{len(states) + len(first) + len(within)} states: top documents, sums of layers, overlap at 10, forks and "
          "total effects of heads equal SQL")  # fmt: skip
    visit.close()


def _agrees(visit: Visit, check: Callable[[], None]) -> None:
    """The check passes once the page has answered; what still differs after a while is told as it differs."""
    end = time.monotonic() + PATIENCE / 1000
    while True:
        visit.settle()
        try:
            check()
        except (AssertionError, playwright.Error):  # the page before, or a part that is being drawn
            if time.monotonic() > end:
                raise
            visit.page.wait_for_timeout(100)
        else:
            return


def _explained(visit: Visit, snapshot: Snapshot, state: dict[str, object]) -> None:
    """Ids and scores of the ten most helpful documents; the layers of all of them add up to what the page says."""
    rows = snapshot.rows(TOP, list(state.values()))
    ranked = visit.page.locator(".list").first  # a second one holds what is copied word for word and not ranked
    cards = ranked.locator(".card").evaluate_all(
        "all => all.map(card => [card.dataset.id, card.querySelector('.score').firstChild.textContent])"
    )
    assert [card[0] for card in cards] == [row["document_id"] for row in rows], state
    in_unit = _unit(snapshot, state, [row["score"] for row in rows])
    for (_, text), row in zip(cards, rows, strict=True):
        value, rounding = shown(text)
        assert abs(value - in_unit(row["score"])) <= rounding, (state, text, row["score"])
    found = visit.page.locator("text=/documents shown: .* (nats|%) in all/")
    assert found.count() == 1, state
    said = found.inner_text(timeout=1000)
    value, rounding = shown(re.search(r"shown: (\S+) (nats|%)", said)[1])  # type: ignore[index]
    total = in_unit(sum(sum(row["layer_scores"]) for row in rows))
    assert abs(value - total) <= rounding + 1e-4 * abs(total), (state, said, total)


def _unit(snapshot: Snapshot, state: dict[str, object], scores: list[float]) -> Callable[[float], float]:
    """What a page says of an influence on this token."""
    found = (
        snapshot.rows(
            """SELECT slope, logp FROM calibration JOIN run USING (model_id, method, damping) JOIN generation_token
        ON generation_id = ? AND position = ? WHERE run_id = ? AND low > 0""",
            [state["generation_id"], state["position"], state["run_id"]],
        )
        if snapshot.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'calibration'")
        else []
    )
    if not found:
        return lambda score: percent(score, scores)
    return lambda score: nats(score, found[0]["logp"], found[0]["slope"])


def _is_split(snapshot: Snapshot, state: dict[str, object]) -> bool:
    """Whether components are stored of this token: the demo may have been built before there were any."""
    if not snapshot.rows("SELECT 1 FROM duckdb_tables() WHERE table_name = 'component_effect'"):
        return False
    sql = "SELECT 1 FROM component_effect WHERE generation_id = ? AND position = ?"
    return bool(snapshot.rows(sql, [state["generation_id"], state["position"]]))


def _inside(visit: Visit, snapshot: Snapshot, state: dict[str, object]) -> None:
    """The total effect of every head."""
    [row] = snapshot.rows(
        """SELECT total_heads, n_heads FROM component_effect JOIN generation USING (generation_id)
        JOIN component_model USING (model_id) WHERE generation_id = ? AND position = ?""",
        [state["generation_id"], state["position"]],
    )
    cells = visit.page.locator("button.part[data-key^='head:']").evaluate_all(
        "all => all.map(cell => [cell.dataset.key, cell.ariaLabel])"
    )
    assert len(cells) == len(row["total_heads"]), state
    for i, ((key, said), expected) in enumerate(zip(cells, row["total_heads"], strict=True)):
        assert key == f"head:{i // row['n_heads']}.{i % row['n_heads']}"
        value, rounding = shown(said.split(": ")[1].split()[0])
        assert abs(value - expected) <= rounding + 1e-6, (state, key, said, expected)


def _compared(visit: Visit, snapshot: Snapshot, state: dict[str, object]) -> None:
    """Overlap at 10 of every pair of sizes, and where each departs from the one above."""
    position = state["position"]
    text = " ".join(visit.page.locator(".block.note").all_inner_texts())
    named = "ekfac_checkpoints" if "EK-FAC, mean over checkpoints" in text else "ekfac"  # of the sizes that have it
    sizes = snapshot.rows(
        """SELECT name, generation_id, first(run_id ORDER BY method <> $named, method <> 'ekfac', run_id) AS run_id
        FROM generation JOIN model USING (model_id) LEFT JOIN run USING (model_id)
        WHERE prompt_id = (SELECT prompt_id FROM generation WHERE generation_id = $generation)
        GROUP BY name, n_params, generation_id, created_at ORDER BY n_params, name, created_at""",
        {"named": named, "generation": state["generation_id"]},
    )
    tops = {
        size["name"]: {r["document_id"] for r in snapshot.rows(TOP, [size["run_id"], size["generation_id"], position])}
        for size in sizes
    }
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
    assert len(flags) == len(written), state
    for (above, below), forks in zip(pairwise(written), flags[1:], strict=True):
        pairs = enumerate(zip(above, below, strict=False))
        differ = [i for i, (a, b) in pairs if a != b and a and b]  # '' ends an answer, which is no fork
        assert forks == differ[:1], state
