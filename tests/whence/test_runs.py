"""What Python is told is what the database holds, asked in the plainest SQL; what was asked is what was built."""

from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

import whence
from indexer.database.snapshot_file import read_current
from indexer.journal.lock import lock
from tests.synthetic_database import build_synthetic
from tests.tiny_family import PROMPTS
from whence.answer import COLUMNS, Answer
from whence.runs import Runs


def sql(folder: Path, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """From a copy of the file: DuckDB wants all connections of a process to a file alike."""
    current = read_current(folder)
    assert current is not None
    copy = folder / "copy-for-a-test.db"
    copy.write_bytes((folder / current.database).read_bytes())
    with duckdb.connect(str(copy), read_only=True) as db:
        found = db.execute(query, list(values)).fetchall()
    copy.unlink()
    return found


@pytest.fixture
def answer(runs: Runs) -> Answer:
    """The answer of a model of two blocks to a prompt that brought documents."""
    listed = runs.answers(model="synth-m")
    return runs.answer(listed[listed.kind == "retrieval"].generation_id.iloc[0])


def test_every_answer_is_listed_in_the_order_of_the_prompts(runs: Runs, folder: Path) -> None:
    stored = sql(
        folder,
        """SELECT generation_id, model.name, prompt.text, generation.text, prompt.answer FROM generation
           JOIN prompt USING (prompt_id) JOIN model USING (model_id) ORDER BY prompt.rowid, n_params""",
    )
    listed = runs.answers()
    names = ["generation_id", "model", "prompt", "text", "answer"]
    assert list(listed[names].itertuples(index=False, name=None)) == stored
    assert len(runs.answers(model="synth-s")) == len(stored) / 3
    assert list(runs.models()["name"]) == ["synth-s", "synth-m", "synth-l"]
    assert list(runs.models()["methods"]) == [["ekfac"]] * 3


def test_the_tokens_are_those_of_the_answer(answer: Answer, folder: Path) -> None:
    query = "SELECT text, start, stop, logp, bits_full FROM generation_token WHERE generation_id = ? ORDER BY position"
    names = ["text", "start", "stop", "logp", "bits_full"]
    rows = sql(folder, query, answer.generation_id)
    assert list(answer.tokens[names].itertuples(index=False, name=None)) == rows
    assert "".join(answer.tokens["text"]).removesuffix("<end>") == answer.text
    assert "".join(answer.prompt_tokens["text"]).removeprefix("<end>") == answer.prompt


def test_words_and_the_whole_answer_are_the_exact_rows(runs: Runs, folder: Path) -> None:
    listed = runs.answers(model="synth-m")
    answer = runs.answer(listed[listed["text"].str.contains("shilling")].generation_id.iloc[0])  # of two tokens
    rows = sql(
        folder,
        """SELECT kind, first, last, start, stop, value, self_influence, n_scored, span
           FROM span JOIN span_target USING (generation_id, span) WHERE generation_id = ? ORDER BY span""",
        answer.generation_id,
    )
    listed = answer.spans
    names = ["kind", "first", "last", "start", "stop", "logp", "self_influence", "n_scored"]
    assert list(listed[names].itertuples(index=False, name=None)) == [row[:-1] for row in rows]
    assert list(listed["text"]) == [answer.text[row[3] : row[4]] for row in rows]
    assert listed["kind"].iloc[-1] == "answer" and (listed["first"] < listed["last"]).sum() > 1
    for kind, first, last, *_, of_itself, _n, span in rows:
        stored = sql(
            folder,
            "SELECT document_id, score, rank FROM span_influence WHERE generation_id = ? AND span = ? ORDER BY rank",
            *(answer.generation_id, span),
        )
        if first == last and kind == "word":
            continue  # a token alone is the token
        made = answer.documents(None if kind == "answer" else (first, last))
        assert list(made[["document_id", "influence", "rank"]].itertuples(index=False, name=None)) == stored
        assert set(made["known"]) == {last - first + 1}
        cosine = answer.documents(None if kind == "answer" else (first, last), "cosine")
        np.testing.assert_allclose(cosine["value"], cosine["influence"] / np.sqrt(cosine["self_influence"] * of_itself))


@pytest.mark.parametrize(("token", "first", "last"), [(0, 0, 0), ((1, 3), 1, 3), ((0, 99), 0, 99)])
def test_documents_are_the_kept_pairs_summed_over_the_span(
    answer: Answer, runs: Runs, folder: Path, token: Any, first: int, last: int
) -> None:
    last = min(last, len(answer.tokens) - 1)
    token = token if isinstance(token, int) else (first, last)
    rows = sql(
        folder,
        """SELECT document_id, title, source, topic, text, sum(score), min(rank), count(*), any_value(self_influence)
           FROM influence JOIN document USING (document_id)
           WHERE generation_id = ? AND position BETWEEN ? AND ? GROUP BY ALL""",
        *(answer.generation_id, first, last),
    )
    made = answer.documents(token)
    assert tuple(made.columns) == COLUMNS
    stored = {row[0]: row[1:] for row in rows}
    assert set(made["document_id"]) == set(stored)
    for each in made.itertuples():
        title, source, topic, text, score, rank, known, self_influence = stored[each.document_id]
        assert (each.title, each.source, each.topic, each.text) == (title, source, topic, text)
        assert (each.rank, each.known) == (rank, known)
        assert each.influence == each.value == pytest.approx(score)
        assert each.self_influence == pytest.approx(self_influence)
    assert made["influence"].is_monotonic_decreasing
    pd.testing.assert_frame_equal(runs.documents(answer.generation_id, token), made)


def test_a_normaliser_changes_the_value_and_not_the_influence(answer: Answer, folder: Path) -> None:
    plain, made = (answer.documents(0, normaliser=name).set_index("document_id") for name in ("none", "relatif_l"))
    np.testing.assert_allclose(made["value"], made["influence"] / np.sqrt(made["self_influence"]))
    pd.testing.assert_series_equal(made["influence"].sort_index(), plain["influence"].sort_index())
    query = "SELECT self_influence FROM target WHERE generation_id = ? AND position = 0"
    [(of_token,)] = sql(folder, query, answer.generation_id)
    cosine = answer.documents(0, normaliser="cosine")
    np.testing.assert_allclose(cosine["value"], cosine["influence"] / np.sqrt(cosine["self_influence"] * of_token))


def test_the_map_of_the_prompt_is_the_stored_one(answer: Answer, folder: Path) -> None:
    query = "SELECT position, source_position, score FROM saliency WHERE generation_id = ? AND method = ? ORDER BY ALL"
    assert len(answer.saliency_methods) > 1
    for method in answer.saliency_methods:
        found = answer.saliency(method)
        assert found.scores.shape == (len(answer.tokens), len(answer.prompt_tokens) + len(answer.tokens) - 1)
        table = found.table()[["position", "source_position", "score"]]
        assert list(table.itertuples(index=False, name=None)) == sql(folder, query, answer.generation_id, method)


def test_a_new_publication_is_read_by_the_next_call(tmp_path: Path) -> None:
    build_synthetic(tmp_path, seed=1)
    opened = whence.open(tmp_path)
    before = opened.documents(opened.answers()["generation_id"][0])
    build_synthetic(tmp_path, seed=2)
    assert not opened.documents(opened.answers()["generation_id"][0]).equals(before)


def test_an_answer_without_influence_says_so(tmp_path: Path) -> None:
    of_runs = ("run", "target", "influence", "influence_position", "component_taught", "relabel", "self_influence")
    build_synthetic(tmp_path, without=of_runs)
    found = whence.open(tmp_path)
    answer = found.answer(found.answers()["generation_id"][0])
    assert answer.method == ""
    with pytest.raises(whence.BadInput, match="without any"):
        answer.documents()


def test_mistakes_are_one_line(runs: Runs, answer: Answer, tmp_path: Path) -> None:
    mistakes = [
        (lambda: whence.open(tmp_path / "nothing"), "found none at"),
        (lambda: whence.open(tmp_path), "none published yet"),
        (lambda: runs.answer("none"), "generation_id"),
        (lambda: runs.answers(model="none"), "synth-s, synth-m, synth-l"),
        (lambda: runs.answer(answer.generation_id, method="none"), "(ekfac)"),
        (lambda: answer.documents(-1), "from 0 to"),
        (lambda: answer.documents(len(answer.tokens)), "from 0 to"),
        (lambda: answer.documents((3, 1)), "(3, 1)"),
        (lambda: answer.documents(0, "none such"), "relatif_l"),
        (lambda: answer.documents((0, 1), "cosine"), "'cosine'"),
        (lambda: answer.saliency("none"), "grad_norm"),
    ]
    for mistake, said in mistakes:
        with pytest.raises(whence.BadInput) as raised:
            mistake()
        assert said in str(raised.value) and "\n" not in str(raised.value)


def test_reading_waits_for_no_lock(runs: Runs, folder: Path) -> None:
    with lock(folder):
        assert len(whence.open(folder).answers()) == len(runs.answers())


def test_what_is_asked_has_the_numbers_of_the_build(demo: Path) -> None:
    """The same prompt, stored by the build and asked anew."""
    opened = whence.open(demo / "data" / "demo" / "build")
    listed = opened.answers(model="tiny-m")
    stored = opened.answer(listed["generation_id"][0])
    asked = opened.ask(str(PROMPTS[0]["prompt"]), model="tiny-m", saliency=["grad_x_input"])
    assert (asked.generation_id, asked.text, asked.method) == (stored.generation_id, stored.text, stored.method)
    for token in range(len(stored.tokens)):
        one, other = (each.documents(token).set_index("document_id").sort_index() for each in (stored, asked))
        pd.testing.assert_frame_equal(one, other, rtol=1e-4, atol=1e-7)
    one, other = stored.saliency(), asked.saliency()
    assert (one.tokens, one.sources) == (other.tokens, other.sources)
    np.testing.assert_allclose(one.scores, other.scores, rtol=1e-4, atol=1e-6)
    assert opened.ask(str(PROMPTS[0]["prompt"])).model == "tiny-m"  # the first of the configuration


def test_an_asked_answer_is_kept_where_that_is_wanted(demo: Path) -> None:
    from indexer.ask.kept import kept

    folder = demo / "data" / "demo" / "build"
    opened = whence.open(folder)
    asked = opened.ask("The capital of Peru is", model="tiny-s")
    assert "The capital of Peru is" not in [each.prompt for each in kept(folder).answers]
    opened.ask("The capital of Peru is", model="tiny-s", save=True)
    [found] = [each for each in kept(folder).answers if each.prompt == "The capital of Peru is"]
    assert (found.model, found.text) == ("tiny-s", asked.text)


@pytest.mark.parametrize(("of", "said"), [({"model": "huge"}, "choose from"), ({"foil": ""}, "foil")])
def test_a_question_that_cannot_be_asked_is_one_line(demo: Path, of: dict[str, str], said: str) -> None:
    with pytest.raises(whence.BadInput, match=said):
        whence.open(demo / "data" / "demo" / "build").ask("The capital of Peru is", **of)


def test_a_file_that_the_notebook_holds_open_itself_is_told(tmp_path: Path) -> None:
    path = build_synthetic(tmp_path)
    with duckdb.connect(str(path), read_only=True), pytest.raises(whence.BadInput, match="close that connection"):
        whence.open(tmp_path)
    assert len(whence.open(tmp_path).answers())
