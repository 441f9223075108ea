"""Bars of whole sources and topics: sums over all documents, of whatever tokens are chosen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def some(snapshot: Snapshot) -> dict[str, Any]:
    """An answer of the largest size, whose groups are estimated."""
    [row] = snapshot.rows("""SELECT generation_id, run_id FROM generation JOIN run USING (model_id)
        JOIN model USING (model_id) WHERE name = 'synth-l' ORDER BY generation_id LIMIT 1""")
    return row


def bars(app: AppTest) -> dict[str, str]:
    [drawn] = [each for each in components(app, "bar_list") if each["label"].startswith("Influence of whole groups")]
    return {bar["name"]: bar["said"] for bar in drawn["bars"]}


@pytest.mark.parametrize("span", [(0, 0), (2, 5)])
def test_bars_are_sums_over_the_chosen_tokens(
    open_app: Open, snapshot: Snapshot, some: dict[str, Any], span: tuple[int, int]
) -> None:
    app = open_app({"generation": some["generation_id"], "token": f"{span[0]}-{span[1]}", "by": "topic"})
    rows = snapshot.rows(
        """SELECT value, sum(score) AS score, sum(error) AS error FROM group_influence
        WHERE run_id = ? AND generation_id = ? AND column_name = 'topic' AND position BETWEEN ? AND ? GROUP BY value""",
        [some["run_id"], some["generation_id"], *span],
    )
    of_sources = snapshot.rows(
        """SELECT sum(score) AS score FROM group_influence WHERE run_id = ? AND generation_id = ?
        AND column_name NOT IN ('topic', '') AND position BETWEEN ? AND ? GROUP BY column_name, value""",
        [some["run_id"], some["generation_id"], *span],
    )
    found = bars(app)
    assert set(found) == {row["value"] for row in rows}
    largest = max(abs(row["score"]) for row in [*rows, *of_sources])
    for row in rows:
        score, error = found[row["value"]].replace("−", "-").split(" · ")[0].split(" ± ")
        assert float(score) == pytest.approx(100 * row["score"] / largest, abs=0.6)
        assert float(error) == pytest.approx(100 * row["error"] / largest, abs=0.6)
    assert "minimum of its loss" in words(app)
    assert "No retraining has measured how large one nat of this model is" in words(app)


def test_a_group_that_some_of_the_tokens_lack_is_left_out(
    open_app: Open, folder: Path, tmp_path: Path, some: dict[str, Any]
) -> None:
    where = f"generation_id = '{some['generation_id']}' AND value = 'WordNet' AND position = 3"
    gone = f"DELETE FROM group_influence WHERE {where}"  # noqa: S608 (of ours)
    copy = changed(folder, tmp_path / "build", [gone])
    assert "WordNet" not in bars(open_app({"generation": some["generation_id"], "token": "2-3"}, where=copy))
    assert "WordNet" in bars(open_app({"generation": some["generation_id"], "token": "2"}, where=copy))


def test_what_is_not_computed_says_so(open_app: Open, folder: Path, tmp_path: Path, some: dict[str, Any]) -> None:
    copy = changed(folder, tmp_path / "build", ["DROP TABLE group_influence"])
    app = open_app({"generation": some["generation_id"], "token": "0"}, where=copy)
    assert not app.exception
    assert any("not computed in this database" in each.value for each in app.caption)
