"""Shares of whole groups by size, against a loop over the rows."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.queries import groups
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed

Open = Callable[..., AppTest]


def test_the_largest_groups_of_every_column_are_offered(snapshot: Snapshot) -> None:
    whole = groups.groups(snapshot)
    found = groups.groups(snapshot, 2)
    of_column = {name: [each for each in whole if each.column_name == name] for name in ("source", "topic")}
    assert all(len(of) > 2 for of in of_column.values())
    assert found == [*of_column["source"][:2], *of_column["topic"][:2]]


@pytest.mark.parametrize("column", ["source", "topic"])
def test_a_share_is_what_a_group_pushes_towards_answers(snapshot: Snapshot, column: str) -> None:
    ends = {row["generation_id"]: row["last"] for row in snapshot.rows("SELECT * FROM span WHERE kind = 'answer'")}
    sums: dict[tuple[str, str, str], float] = defaultdict(float)
    for row in snapshot.rows(
        """SELECT name, generation_id, value, position, score FROM group_influence
        JOIN generation USING (generation_id) JOIN model USING (model_id) WHERE column_name = ?""",
        [column],
    ):
        if row["position"] <= ends[row["generation_id"]]:
            sums[row["name"], row["value"], row["generation_id"]] += row["score"]
    helped: dict[tuple[str, str], float] = defaultdict(float)
    for (name, value, _), score in sums.items():
        helped[name, value] += max(score, 0.0)
    totals = {size: sum(of for (name, _), of in helped.items() if name == size) for size, _ in helped}
    wanted = {key: of / totals[key[0]] for key, of in helped.items()}
    found = groups.group_shares(snapshot, column)
    assert {(each.name, each.value): each.share for each in found} == pytest.approx(wanted, rel=1e-4)
    assert list(dict.fromkeys(each.name for each in found)) == ["synth-s", "synth-m", "synth-l"]


def test_compare_shows_whole_groups_by_a_column_of_choice(open_app: Open) -> None:
    app = open_app({"by": "topic"}, screen="compare")
    assert any("which answers owe most to its group" in each.value for each in app.caption)
    [choice] = [each for each in app.selectbox if each.label == "Groups by"]
    assert (choice.value, choice.options) == ("topic", ["By source", "By topic"])


def test_compare_without_groups_falls_back_to_what_was_kept(open_app: Open, folder: Path, tmp_path: Path) -> None:
    app = open_app(screen="compare", where=changed(folder, tmp_path / "build", ["DROP TABLE answer_group"]))
    assert any("Whole topics are not computed" in each.value for each in app.caption)
