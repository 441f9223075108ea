"""Groups as Python is told of them are those of the database, added up in the plainest SQL."""

from pathlib import Path

import pytest

import whence
from tests.whence.test_runs import sql
from whence.runs import Runs


def test_groups_of_an_answer_are_the_sums_of_its_tokens(runs: Runs, folder: Path) -> None:
    answer = runs.answer(runs.answers(model="synth-s")["generation_id"].iloc[0])
    stored = sql(
        folder,
        """SELECT corpus, column_name, value, sum(score) FROM group_influence
           WHERE generation_id = ? GROUP BY ALL""",
        answer.generation_id,
    )
    found = answer.groups()
    by_group = {(row.corpus, row.column, row.value): row.influence for row in found.itertuples()}
    assert by_group == {row[:3]: pytest.approx(row[3], rel=1e-5) for row in stored}
    assert found["error"].isna().all()
    [first] = sql(
        folder,
        """SELECT corpus, value FROM group_influence WHERE generation_id = ? AND position = 0
           AND column_name = 'topic' ORDER BY score DESC LIMIT 1""",
        answer.generation_id,
    )
    of_token = answer.groups(0)
    top = of_token[of_token["column"] == "topic"].iloc[0]
    assert (top["corpus"], top["value"]) == first
    with pytest.raises(whence.BadInput, match="a token from 0"):
        answer.groups(999)


@pytest.mark.parametrize("unit", ["answer", "word", "token"])
def test_what_a_group_moved_is_asked_backwards(runs: Runs, folder: Path, unit: str) -> None:
    of = runs.groups()
    value = of[of["column"] == "topic"]["value"].iloc[0]
    found = runs.moved_by("topic", value, unit)
    assert set(found["model"]) == {"synth-s", "synth-m", "synth-l"}
    assert found["influence"].is_monotonic_decreasing
    first = found.iloc[0]
    [(total,)] = sql(
        folder,
        """SELECT sum(score) FROM group_influence WHERE generation_id = ? AND column_name = 'topic' AND value = ?
           AND position BETWEEN ? AND ?""",
        first["generation_id"],
        value,
        int(first["first"]),
        int(first["last"]),
    )
    assert first["influence"] == pytest.approx(total, rel=1e-5)
    assert first["moved"] in first["answer"]
    alone = runs.moved_by("topic", value, unit, model="synth-m")
    assert len(alone) == (found["model"] == "synth-m").sum()


def test_groups_that_are_not_there(runs: Runs) -> None:
    with pytest.raises(whence.BadInput, match="a group of the database, found 'topic' with 'none such'"):
        runs.moved_by("topic", "none such")
    with pytest.raises(whence.BadInput, match="'answer', 'word' or 'token', found 'letter'"):
        runs.moved_by("topic", "x", "letter")
