"""Other estimators and a fine-tuned child, on the tiny family: every run is stored, and says what it should."""

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest

from attribution.errors import BadInput
from indexer.__main__ import main
from indexer.ask.job import run as ask
from indexer.config.estimator import estimators
from indexer.database.check import check
from indexer.database.snapshot_file import read_current
from indexer.size import factors
from tests.indexer.pipeline.test_build import stage_here
from tests.tiny_family import PROMPTS, write_lines, write_project

CHILD = """
[[model]]
name = "tiny-chat"
family = "tiny"
path = "models/tiny-chat"
stage = "finetuned"
parent = "tiny-m"
files = ["chat.jsonl"]
[model.recipe]
epochs = 2
peak_rate = 1e-3
batch = 4
[[model]]
name = "tiny-tuned"
family = "tiny"
path = "models/tiny-tuned"
stage = "finetuned"
parent = "tiny-chat"
files = ["tuned.jsonl"]
[model.recipe]
epochs = 2
peak_rate = 1e-3
batch = 4
[[model]]
name = "tiny-alone"
family = "tiny"
path = "models/tiny-alone"
stage = "finetuned"
files = ["tuned.jsonl"]
[model.recipe]
hidden = 8
layers = 1
feed_forward = 12
heads = 2
vocabulary = 300
context = 64
epochs = 2
[prompts]
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("methods")
    path = write_project(folder)
    text = path.read_text().replace("[prompts]\n", CHILD, 1)
    scores = f"[scores]\ncg_steps = 2\ncg_documents = 6\nmethod = {json.dumps(list(estimators()))}\n"
    text = text.replace("[scores]\n", scores)
    path.write_text(text.replace("keep = [0.5, 1.0]\n", "keep = [0.5, 1.0]\n", 1))
    lines = path.read_text().replace(
        'path = "models/tiny-m"\n', 'path = "models/tiny-m"\ncheckpoints = ["models/tiny-m/checkpoints/epoch-06"]\n'
    )
    path.write_text(lines.replace("[output]", '[[targets]]\nname = "one"\nfile = "one.jsonl"\n[output]'))
    write_lines(folder / "one.jsonl", [{"prompt": PROMPTS[0]["prompt"], "completion": " Lima."}])
    write_lines(folder / "chat.jsonl", [{"text": f"Question: {i}? Answer: {i}."} for i in range(12)])
    write_lines(folder / "tuned.jsonl", [{"text": f"Asked {i} times, it says {i}."} for i in range(9)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        assert main(["build", str(path)]) == 0
    return folder / "build"


@pytest.fixture(scope="module")
def db(built):
    current = read_current(built)
    assert current is not None
    with duckdb.connect(str(built / current.database), read_only=True) as connection:
        yield connection


def test_every_method_has_its_run_and_the_database_is_whole(built, db):
    assert check(built) == []
    found = db.execute("SELECT method FROM run JOIN model USING (model_id) WHERE name = 'tiny-m'").fetchall()
    assert {method for (method,) in found} == set(estimators())


def test_a_fine_tuned_model_is_traced_to_both_of_its_corpora(db):
    found = db.execute(
        """SELECT DISTINCT corpus FROM influence JOIN document USING (document_id) JOIN run USING (run_id)
           JOIN model USING (model_id) WHERE name = 'tiny-chat' AND method = 'ekfac, two stages'"""
    ).fetchall()
    assert {corpus for (corpus,) in found} == {"corpus", "chat"}


@pytest.mark.parametrize(
    ("size", "method", "corpora"),
    [
        ("tiny-tuned", "ekfac, three stages", {"corpus", "chat", "tuned"}),
        ("tiny-alone", "ekfac", {"tuned"}),  # nobody has what its base was trained on
    ],
)
def test_every_stage_that_is_known_is_traced(db, size, method, corpora):
    found = db.execute(
        """SELECT DISTINCT corpus FROM influence JOIN document USING (document_id) JOIN run USING (run_id)
           JOIN model USING (model_id) WHERE name = ? AND method = ?""",
        [size, method],
    ).fetchall()
    assert {corpus for (corpus,) in found} == corpora


@pytest.mark.parametrize("method", ["ekfac_checkpoints", "tracin", "source", "gradient_dot", "ekfac_cg"])
def test_the_positions_of_a_document_add_up_to_its_score(db, method):
    found = db.execute(
        """SELECT score, list_sum(shares) FROM influence_position
           JOIN influence USING (run_id, generation_id, position, document_id) JOIN run USING (run_id)
           WHERE method = ?""",
        [method],
    ).fetchall()
    assert len(found) > 20
    scores, sums = np.array(found).T
    np.testing.assert_allclose(sums, scores, rtol=1e-3, atol=1e-4 * np.abs(scores).max())


def test_the_run_says_how_far_conjugate_gradients_came(db):
    [(settings, n)] = db.execute(
        """SELECT any_value(settings), count(DISTINCT (generation_id, position)) FROM target JOIN run USING (run_id)
           JOIN model USING (model_id) WHERE method = 'ekfac_cg' AND name = 'tiny-m'"""
    ).fetchall()
    told = json.loads(settings)
    assert (told["cg_steps"], told["cg_documents"]) == (2, 6)
    assert len(told["residuals"]) == n and min(told["residuals"]) > 0
    assert "residuals" not in json.loads(db.execute("SELECT settings FROM run WHERE method = 'ekfac'").fetchall()[0][0])


def test_a_target_set_has_rows_of_the_first_run_and_of_the_one_that_solves_it(db):
    found = db.execute(
        """SELECT method, count(*) FROM set_influence JOIN run USING (run_id) JOIN model USING (model_id)
           WHERE model.name = 'tiny-m' GROUP BY method"""
    ).fetchall()
    assert {method for method, _ in found} == {"ekfac", "ekfac_cg"} and len({n for _, n in found}) == 1


@pytest.fixture
def elsewhere(built, tmp_path) -> Path:
    """The same build under another path: one that is open with other settings is not opened again."""
    shutil.copytree(built, tmp_path / "build")
    return tmp_path / "build"


def test_an_exact_question_has_the_numbers_of_the_run(elsewhere, db):
    request = {"folder": str(elsewhere), "model": "tiny-m", "prompt": str(PROMPTS[0]["prompt"]), "exact": True}
    result = ask(request, lambda stage, fraction, payload: None, lambda: False)
    stored = db.execute(
        """SELECT position, document_id, score FROM influence JOIN generation USING (generation_id)
           JOIN prompt USING (prompt_id) JOIN run USING (run_id) JOIN model ON run.model_id = model.model_id
           WHERE prompt.text = ? AND name = 'tiny-m' AND method = 'ekfac_cg'""",
        [PROMPTS[0]["prompt"]],
    ).fetchall()
    found = {(p, row["document_id"]): row["score"] for p, rows in enumerate(result["documents"]) for row in rows}
    assert found.keys() == {(position, document) for position, document, _ in stored}
    for position, document, score in stored:
        assert found[position, document] == pytest.approx(score, rel=1e-3, abs=1e-7)
    assert result["solved"]["method"] == "ekfac_cg" and len(result["solved"]["residuals"]) >= len(result["tokens"])


def test_stages_of_training_are_not_solved_together(elsewhere):
    request = {"folder": str(elsewhere), "model": "tiny-chat", "prompt": str(PROMPTS[0]["prompt"]), "exact": True}
    with pytest.raises(BadInput, match="expected one stage of training"):
        ask(request, lambda stage, fraction, payload: None, lambda: False)
    with pytest.raises(BadInput, match="expected true or false"):
        ask(request | {"exact": "yes"}, lambda stage, fraction, payload: None, lambda: False)


@pytest.mark.parametrize("method", ["ekfac_checkpoints", "tracin", "source", "gradient_dot"])
def test_a_word_is_the_sum_of_its_tokens(db, method):
    """Where a document was kept for the span and for each of its tokens; every span and answer has a row."""
    found = db.execute(
        """SELECT of.score, sum(token.score) FROM span_influence AS of JOIN span USING (generation_id, span)
           JOIN run USING (run_id) JOIN influence AS token ON token.run_id = of.run_id
             AND token.generation_id = of.generation_id AND token.document_id = of.document_id
             AND token.position BETWEEN first AND last
           WHERE method = ? GROUP BY of.run_id, of.generation_id, of.span, of.document_id, of.score
           HAVING count(*) = any_value(last - first + 1)""",
        [method],
    ).fetchall()
    assert len(found) > 5
    scores, sums = np.array(found).T
    np.testing.assert_allclose(sums, scores, rtol=1e-4, atol=1e-5 * np.abs(scores).max())
    [(n, answered)] = db.execute(
        """SELECT count(*), count(*) FILTER (kind = 'answer') FROM span_target JOIN span USING (generation_id, span)
           JOIN run USING (run_id) WHERE method = ?""",
        [method],
    ).fetchall()
    [(spans, generations)] = db.execute(
        """SELECT count(*), count(DISTINCT generation_id) FROM span WHERE generation_id IN (
           SELECT generation_id FROM target JOIN run USING (run_id) WHERE method = ?)""",
        [method],
    ).fetchall()
    assert (n, answered) == (spans, generations)


@pytest.mark.parametrize("method", ["ekfac_checkpoints", "tracin", "source", "gradient_dot"])
def test_the_positions_add_up_to_the_score_of_a_word(db, method):
    found = db.execute(
        """SELECT score, list_sum(shares) FROM span_position JOIN span_influence USING (run_id, generation_id, span,
           document_id) JOIN run USING (run_id) WHERE method = ?""",
        [method],
    ).fetchall()
    assert len(found) > 10
    scores, sums = np.array(found).T
    np.testing.assert_allclose(sums, scores, rtol=1e-3, atol=1e-4 * np.abs(scores).max())


@pytest.mark.parametrize("method", ["ekfac_checkpoints", "tracin", "source", "gradient_dot"])
def test_what_learning_each_token_did_adds_up_to_the_score_of_an_answer(db, method):
    """Asked for by forward mode at every checkpoint; the score came from products of the answer's tokens."""
    found = db.execute(
        """SELECT kind, score, list_sum(loss_influences), row_number() OVER place FROM span_position
           JOIN span_influence USING (run_id, generation_id, span, document_id) JOIN run USING (run_id)
           JOIN span USING (generation_id, span) WHERE method = ?
           WINDOW place AS (PARTITION BY run_id, generation_id, span ORDER BY rank)""",
        [method],
    ).fetchall()
    told = [
        (score, learned, place) for kind, score, learned, place in found if kind == "answer" and learned is not None
    ]
    assert not [kind for kind, _, learned, _ in found if kind == "word" and learned is not None]
    assert {place for *_, place in told} == {1, 2}  # as many as [scores] token_losses wants
    scores, sums, _ = np.array(told).T
    np.testing.assert_allclose(sums, scores, rtol=1e-3, atol=1e-4 * np.abs(scores).max())


def test_what_is_not_linear_has_no_words(db):
    [(n,)] = db.execute(
        """SELECT count(*) FROM span_target JOIN run USING (run_id)
           WHERE method IN ('ekfac_cg', 'gradient_cosine', 'hidden_cosine', 'bm25')"""
    ).fetchall()
    assert n == 0


def test_the_cosine_lies_between_minus_one_and_one(db):
    scores = db.execute(
        "SELECT score FROM influence JOIN run USING (run_id) WHERE method IN ('gradient_cosine', 'hidden_cosine')"
    ).fetchnumpy()["score"]
    assert len(scores) > 50
    assert np.abs(scores).max() <= 1 + 1e-5


def test_dot_and_cosine_have_one_sign(db):
    pairs = db.execute(
        """SELECT a.score, b.score FROM influence a JOIN run ra ON a.run_id = ra.run_id JOIN influence b
           ON a.generation_id = b.generation_id AND a.position = b.position AND a.document_id = b.document_id
           JOIN run rb ON b.run_id = rb.run_id WHERE ra.method = 'gradient_dot' AND rb.method = 'gradient_cosine'"""
    ).fetchall()
    assert len(pairs) > 50
    assert all(a * b >= 0 for a, b in pairs)


def test_methods_without_layers_store_none(db):
    [(n,)] = db.execute(
        """SELECT count(layer_scores) FROM influence JOIN run USING (run_id)
           WHERE method IN ('bm25', 'hidden_cosine')"""
    ).fetchall()
    assert n == 0


def test_other_checkpoints_or_steps_are_another_run(built, tmp_path, monkeypatch):
    monkeypatch.setattr(factors, "stage", stage_here)
    shutil.copytree(built.parent, tmp_path / "project")
    [path] = (tmp_path / "project").glob("*.toml")
    twice = 'checkpoints = ["models/tiny-m/checkpoints/epoch-06", "models/tiny-m/checkpoints/epoch-06"]'
    text = path.read_text().replace('checkpoints = ["models/tiny-m/checkpoints/epoch-06"]', twice)
    path.write_text(text.replace("cg_steps = 2", "cg_steps = 3"))

    def runs() -> dict[str, str]:
        folder = tmp_path / "project" / "build"
        current = read_current(folder)
        assert current is not None
        with duckdb.connect(str(folder / current.database), read_only=True) as db:
            sql = "SELECT method, run_id FROM run JOIN model USING (model_id) WHERE name = 'tiny-m'"
            return dict(db.execute(sql).fetchall())

    before = runs()
    assert main(["build", str(path)]) == 0
    after = runs()
    others = {method for method in before if after[method] != before[method]}
    assert others == {"ekfac_checkpoints", "tracin", "source", "ekfac_cg"}
