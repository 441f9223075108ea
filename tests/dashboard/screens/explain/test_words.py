"""Words and whole answers on Explain: their own rows where they are targets, sums that say so where they are not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.export.files import as_json
from dashboard.screens.explain.explanation import Explanation, explain
from dashboard.screens.explain.sheet import explained_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


@pytest.fixture(scope="module")
def some(snapshot: Snapshot) -> dict[str, Any]:
    """An answer with a word of two tokens, and that word."""
    [row] = snapshot.rows("""SELECT span.*, run_id FROM span JOIN span_target USING (generation_id, span)
        JOIN run USING (run_id) JOIN model USING (model_id)
        WHERE kind = 'word' AND first < last AND name = 'synth-l'""")
    return row


def found_in(snapshot: Snapshot, some: dict[str, Any], **chosen: Any) -> Explanation:
    generation = answers.generation(snapshot, some["generation_id"])
    assert generation is not None
    return explain(snapshot, Selection(generation=some["generation_id"], **chosen), StoredAnswer(snapshot, generation))


def listed(app: AppTest) -> list[str]:
    return [item["id"] for item in components(app, "document_list")[0]["items"]]


def test_a_word_shows_its_own_rows(open_app: Open, snapshot: Snapshot, some: dict[str, Any]) -> None:
    app = open_app({"generation": some["generation_id"], "token": f"{some['first']}-{some['last']}"})
    rows = snapshot.rows(
        "SELECT document_id, score FROM span_influence WHERE generation_id = ? AND span = ? AND score > 0 "
        "ORDER BY rank LIMIT 10",
        [some["generation_id"], some["span"]],
    )
    assert listed(app) == [row["document_id"] for row in rows]
    first = components(app, "document_list")[0]["items"][0]
    assert first["facts"].startswith("rank 1 of 60 scored")
    assert "random documents" in " ".join(badge["text"] for badge in first["badges"])
    assert "The word “shilling” as one target" in words(app)


def test_the_whole_answer_is_its_own_rows_without_the_token_that_ends_it(
    open_app: Open, snapshot: Snapshot, some: dict[str, Any]
) -> None:
    app = open_app({"generation": some["generation_id"]})
    rows = snapshot.rows(
        """SELECT document_id FROM span_influence JOIN span USING (generation_id, span)
        WHERE generation_id = ? AND kind = 'answer' AND score > 0 ORDER BY rank LIMIT 10""",
        [some["generation_id"]],
    )
    assert listed(app) == [row["document_id"] for row in rows]
    assert "The whole answer as one target" in words(app)
    n_tokens = len(answers.tokens(snapshot, some["generation_id"]))
    assert found_in(snapshot, some).span == (0, n_tokens - 2)


def test_other_tokens_are_a_sum_and_say_so(open_app: Open, snapshot: Snapshot, some: dict[str, Any]) -> None:
    app = open_app({"generation": some["generation_id"], "token": "1-3"})
    assert "not one word and not the whole answer: sums over the scores that were kept" in words(app)
    assert found_in(snapshot, some, span=(1, 3)).exact is None
    one = open_app({"generation": some["generation_id"], "token": "1"})
    assert "as one target" not in words(one) and "sums over" not in words(one)


@pytest.mark.parametrize("normaliser", ["cosine", "relatif_l", "grad_norm"])
def test_a_word_has_every_scale(snapshot: Snapshot, some: dict[str, Any], normaliser: str) -> None:
    found = found_in(snapshot, some, span=(some["first"], some["last"]), normaliser=normaliser)
    rows = snapshot.rows(
        "SELECT * FROM span_influence WHERE generation_id = ? AND span = ?", [some["generation_id"], some["span"]]
    )
    own = 4.0  # of the synthetic query
    scale = {
        "cosine": lambda row: (row["self_influence"] * own) ** 0.5,
        "relatif_l": lambda row: row["self_influence"] ** 0.5,
        "grad_norm": lambda row: row["grad_norm"],
    }[normaliser]
    wanted = {row["document_id"]: row["score"] / scale(row) for row in rows}
    assert {each.document_id: each.value for each in found.ranked} == pytest.approx(wanted, rel=1e-5)


def test_the_word_around_a_token_and_the_whole_answer_are_offered(open_app: Open, some: dict[str, Any]) -> None:
    def offered(token: str) -> list[str]:
        app = open_app({"generation": some["generation_id"]} | ({"token": token} if token else {}))
        return [each.label.replace("\\", "") for each in app.button if "he w" in each.label]

    assert offered(str(some["last"])) == ["The word “shilling”", "The whole answer"]
    assert offered("0") == ["The whole answer"]  # a word of one token is that token
    assert offered(f"{some['first']}-{some['last']}") == ["The whole answer"]
    assert offered("") == []


def test_a_chosen_word_is_taken(open_app: Open, some: dict[str, Any]) -> None:
    app = open_app({"generation": some["generation_id"], "token": str(some["last"])})
    next(each for each in app.button if "shilling" in each.label).click().run()
    assert app.query_params["token"] == f"{some['first']}-{some['last']}"
    next(each for each in app.button if each.label == "The whole answer").click().run()
    assert "token" not in app.query_params


def test_a_file_without_words_keeps_its_sums(
    open_app: Open, folder: Path, tmp_path: Path, some: dict[str, Any], snapshot: Snapshot
) -> None:
    dropped = [f"DROP TABLE {name}" for name in ("span_influence", "span_position", "span_candidate", "span_target")]
    copy = changed(folder, tmp_path / "build", [*dropped, "DROP TABLE span"])
    app = open_app({"generation": some["generation_id"], "token": "1-2"}, where=copy)
    assert not app.exception
    assert "Several tokens: sums over the scores" in words(app)
    rows = snapshot.rows(
        """SELECT document_id, sum(score) AS score FROM influence WHERE run_id = ? AND generation_id = ?
        AND position BETWEEN 1 AND 2 GROUP BY document_id ORDER BY score DESC LIMIT 10""",
        [some["run_id"], some["generation_id"]],
    )
    assert listed(app) == [row["document_id"] for row in rows]
    assert components(app, "token_strip")[0]["words"] == []


def test_the_sheet_says_what_the_documents_are_ranked_for(snapshot: Snapshot, some: dict[str, Any]) -> None:
    for span, kind in (((0, 0), "token"), ((8, 9), "word"), (None, "answer"), ((1, 3), "sum")):
        found = found_in(snapshot, some, span=span)
        sheet = explained_sheet(snapshot, found, Selection(span=span))
        assert set(sheet.table()["target"]) == {kind}
        made = json.loads(as_json(sheet))
        assert made["target"] == kind
        assert {each["column_name"] for each in made["groups"]} == {"", "source", "topic"}
        assert len(made["verbatim"]) == len(found.verbatim or ())
