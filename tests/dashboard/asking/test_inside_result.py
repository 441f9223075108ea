"""Heads and neurons of a new answer are those of its result, as a stored one has them in the database."""

import json
from typing import Any

import numpy as np
import pytest

from dashboard.address.selection import Selection
from dashboard.asking.result import AskedAnswer
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.screens.inside.view import view
from indexer.database.reader import Snapshot

TABLES = ("component_effect", "component_taught", "component_measured", "component_attention", "lens")


@pytest.fixture(scope="module")
def stored(snapshot: Snapshot) -> StoredAnswer:
    generation = answers.example(snapshot)
    assert generation is not None
    return StoredAnswer(snapshot, generation)


@pytest.fixture(scope="module")
def result(snapshot: Snapshot, stored: StoredAnswer) -> dict[str, Any]:
    """As the worker would send the same answer, through JSON."""
    of = stored.generation.generation_id
    rows = {
        table: snapshot.rows(f"SELECT * FROM {table} WHERE generation_id = ?", [of])  # noqa: S608 (names of ours)
        for table in TABLES
    }
    kept = [
        snapshot.rows("SELECT * FROM influence WHERE generation_id = ? AND position = ? ORDER BY rank", [of, i])
        for i in range(len(stored.tokens()))
    ]
    made = {
        "tokens": [{"text": token.text, "start": token.start, "stop": token.stop} for token in stored.tokens()],
        "prompt_tokens": [{"text": token.text, "start": 0, "stop": 1} for token in stored.prompt_tokens()],
        "documents": kept,
        "inside": rows,
    }
    found: dict[str, Any] = json.loads(json.dumps(made))
    return found


def test_a_new_answer_is_seen_as_a_stored_one(snapshot: Snapshot, stored: StoredAnswer, result: dict[str, Any]) -> None:
    asked = AskedAnswer(snapshot, result, stored.generation.model, "job")
    for component in ("head:1.1", "neuron:1.4", ""):
        selection = Selection(span=(1, 2), component=component)
        one, other = view(snapshot, selection, stored), view(snapshot, selection, asked)
        assert set(one.amounts) == set(other.amounts) == {"total", "direct", "measured", "taught"}
        for name in one.amounts:
            assert one.amounts[name].parts == pytest.approx(other.amounts[name].parts)
        assert [each.document_id for each in one.through] == [each.document_id for each in other.through]
        assert len(one.attention) == len(other.attention)
        for mine, theirs in zip(one.attention, other.attention, strict=True):
            np.testing.assert_allclose(mine, theirs)
        name = stored.generation.model.name
    assert other.lens == {name: one.lens[name]}


def test_before_anything_is_known_nothing_is(snapshot: Snapshot, stored: StoredAnswer) -> None:
    asked = AskedAnswer(snapshot, {"tokens": [{"text": "a"}]}, stored.generation.model, "job")
    found = view(snapshot, Selection(span=(0, 0), component="head:0.0"), asked)
    assert found.amounts == {} and found.lens == {} and found.attention == [] and found.through == []
