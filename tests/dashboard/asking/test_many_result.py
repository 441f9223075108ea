"""Words, groups and verbatim spans of a new answer are those of its result, as a stored one has them."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.address.selection import Selection
from dashboard.asking.result import AskedAnswer
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.screens.explain.explanation import explain
from dashboard.screens.explain.word_for_word import cases_line
from indexer.database.reader import Database, Snapshot
from tests.dashboard.changed import changed


@pytest.fixture(scope="module")
def stored(snapshot: Snapshot) -> StoredAnswer:
    [row] = snapshot.rows("""SELECT generation_id FROM span JOIN generation USING (generation_id)
        JOIN model USING (model_id) WHERE kind = 'word' AND first < last AND name = 'synth-l'""")
    generation = answers.generation(snapshot, row["generation_id"])
    assert generation is not None
    return StoredAnswer(snapshot, generation)


@pytest.fixture(scope="module")
def result(snapshot: Snapshot, stored: StoredAnswer) -> dict[str, Any]:
    """As the worker would send the same answer, through JSON."""
    of = stored.generation.generation_id
    n_tokens = len(stored.tokens())

    def rows(sql: str, *values: object) -> list[dict[str, Any]]:
        return snapshot.rows(sql, [of, *values])

    kept = [
        rows("SELECT * FROM influence WHERE generation_id = ? AND position = ? ORDER BY rank", i)
        for i in range(n_tokens)
    ]
    spans = []
    for span in rows("SELECT * FROM span WHERE generation_id = ? ORDER BY span"):
        [target] = rows("SELECT * FROM span_target WHERE generation_id = ? AND span = ?", span["span"])
        documents = rows(
            """SELECT *, ['index'] AS via FROM span_influence LEFT JOIN span_position
            USING (run_id, generation_id, span, document_id) WHERE generation_id = ? AND span = ? ORDER BY rank""",
            span["span"],
        )
        known = ("value", "self_influence", "n_scored", "null_scores")
        spans.append(span | {name: target[name] for name in known} | {"documents": documents})
    groups = []
    for group in snapshot.rows("SELECT * FROM corpus_group"):
        scores = rows(
            """SELECT score, error FROM group_influence WHERE generation_id = ? AND corpus = ? AND column_name = ?
            AND value = ? ORDER BY position""",
            *(group[name] for name in ("corpus", "column_name", "value")),
        )
        made = {name: [row[name] for row in scores] for name in ("score", "error")}
        groups.append({"column": group["column_name"], **group, **made})
    verbatim = [
        span | {"places": rows("SELECT * FROM verbatim_place WHERE generation_id = ? AND first = ?", span["first"])}
        for span in rows("SELECT * FROM verbatim WHERE generation_id = ? ORDER BY first")
    ]
    made = {
        "text": stored.generation.text,
        "tokens": [{"text": token.text, "start": token.start, "stop": token.stop} for token in stored.tokens()],
        "documents": kept,
        "spans": spans,
        "groups": groups,
        "verbatim": verbatim,
    }
    found: dict[str, Any] = json.loads(json.dumps(made))
    return found


@pytest.mark.parametrize("span", [None, (8, 9), (0, 0), (2, 4)])
def test_a_new_answer_is_explained_as_a_stored_one(
    snapshot: Snapshot, stored: StoredAnswer, result: dict[str, Any], span: tuple[int, int] | None
) -> None:
    asked = AskedAnswer(snapshot, result, stored.generation.model, "job")
    one, other = (explain(snapshot, Selection(span=span), each) for each in (stored, asked))
    assert one.exact == other.exact and one.span == other.span and one.spans == other.spans
    assert [each.document_id for each in one.ranked] == [each.document_id for each in other.ranked]
    assert [each.score for each in one.ranked] == pytest.approx([each.score for each in other.ranked])
    for mine, theirs in zip(one.whole_groups, other.whole_groups, strict=True):
        assert (mine.column_name, mine.value, mine.n_documents) == (
            theirs.column_name,
            theirs.value,
            theirs.n_documents,
        )
        assert mine.score == pytest.approx(theirs.score) and mine.error == pytest.approx(theirs.error)
    assert one.copies == other.copies and one.verbatim == other.verbatim
    if one.exact:
        assert one.target is not None and other.target is not None
        np.testing.assert_allclose(one.target.null_scores, other.target.null_scores)
        assert cases_line(one) == cases_line(other)
        assert one.heats.keys() == other.heats.keys() and one.heats
        for key, heat in one.heats.items():
            np.testing.assert_allclose(heat.shares, other.heats[key].shares)


def test_estimates_of_a_word_come_without_random_documents(
    snapshot: Snapshot, stored: StoredAnswer, result: dict[str, Any]
) -> None:
    early = [
        {name: span[name] for name in ("kind", "first", "last", "start", "stop")}
        | {"documents": [{"document_id": row["document_id"], "score": row["score"]} for row in span["documents"]]}
        for span in result["spans"]
    ]
    waiting = {name: result[name] for name in ("text", "tokens", "documents")} | {"spans": early, "estimated": True}
    asked = AskedAnswer(snapshot, waiting, stored.generation.model, "job")
    found = explain(snapshot, Selection(), asked)
    assert found.exact is not None and found.target is None and found.ranked
    assert found.whole_groups == [] and found.verbatim is None and not found.copies.spans


def test_the_slope_is_that_of_the_method_that_solved_the_queries(folder: Path, tmp_path: Path) -> None:
    """First estimates are EK-FAC's, whatever the exact scores are asked of."""
    more = [
        """INSERT INTO run BY NAME SELECT run.* REPLACE ('cg' AS run_id, 'ekfac_cg' AS method)
        FROM run JOIN model USING (model_id) WHERE name = 'synth-m'""",
        "INSERT INTO calibration BY NAME SELECT * REPLACE ('ekfac_cg' AS method, 0.5 AS slope) FROM calibration",
    ]
    snapshot = Database(changed(folder, tmp_path / "build", more)).current()
    [model] = [each for each in answers.models(snapshot) if each.name == "synth-m"]
    solved = {"solved": {"method": "ekfac_cg", "cg_steps": 8}}
    slopes = []
    for result in ({}, solved, solved | {"estimated": True}):
        calibration = AskedAnswer(snapshot, {"tokens": [{"text": "a"}]} | result, model, "job").calibration
        slopes.append(calibration and calibration.slope)
    assert slopes == [0.25, 0.5, 0.25]


def test_a_group_that_is_not_scored_for_every_token_is_left_out(
    snapshot: Snapshot, stored: StoredAnswer, result: dict[str, Any]
) -> None:
    short = {"corpus": "c", "column": "topic", "value": None, "n_documents": 1, "score": [0.5, 1.0], "error": None}
    asked = AskedAnswer(snapshot, result | {"groups": [short]}, stored.generation.model, "job")
    [group] = asked.groups(0, 1)
    assert (group.name, group.score, group.error) == ("(none)", 1.5, None)
    assert asked.groups(1, 2) == []
