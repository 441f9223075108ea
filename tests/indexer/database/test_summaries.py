"""The worked-out tables say what a loop over the rows says."""

import math
import re
from collections import defaultdict

import duckdb
import pytest

from indexer.database.reader import Database
from indexer.database.summaries import SUMMARIES
from indexer.database.tables import spans
from tests.synthetic_database import build_synthetic


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    folder = tmp_path_factory.mktemp("synthetic")
    build_synthetic(folder)
    return Database(folder).current()


@pytest.fixture(scope="module")
def by_pair(snapshot):
    pairs = defaultdict(list)
    for row in snapshot.rows("SELECT run_id, generation_id, document_id, position, rank, score FROM influence"):
        pairs[row["document_id"], row["run_id"], row["generation_id"]].append(row)
    return pairs


def test_what_a_document_did_to_an_answer(snapshot, by_pair):
    found = snapshot.rows("SELECT * FROM answer_document")
    assert len(found) == len(by_pair)
    best = defaultdict(list)
    for row in found:
        kept = by_pair[row["document_id"], row["run_id"], row["generation_id"]]
        scores = [each["score"] for each in kept]
        assert row["n_tokens"] == len(kept)
        assert row["n_top10"] == sum(each["rank"] <= 10 and each["score"] > 0 for each in kept)
        assert row["best_rank"] == min(each["rank"] for each in kept)
        assert (row["best_score"], row["worst_score"]) == (max(scores), min(scores))
        assert row["best_position"] == max(kept, key=lambda each: each["score"])["position"]
        assert row["worst_position"] == min(kept, key=lambda each: each["score"])["position"]
        assert math.isclose(row["helped"], sum(score for score in scores if score > 0), rel_tol=1e-5, abs_tol=1e-9)
        assert math.isclose(row["hurt"], sum(score for score in scores if score < 0), rel_tol=1e-5, abs_tol=1e-9)
        best[row["run_id"], row["generation_id"]].append((row["answer_rank"], row["best_score"]))
    for ranked in best.values():
        assert [rank for rank, _ in sorted(ranked)] == list(range(1, len(ranked) + 1))
        assert [score for _, score in sorted(ranked)] == sorted((score for _, score in ranked), reverse=True)


def test_of_ten_documents_those_that_push_away_are_not_among_the_ten_most_helpful():
    with duckdb.connect() as db:
        about = "'word' AS text, '' AS source, '' AS topic"
        db.execute(f"CREATE TABLE document AS SELECT unnest(['a', 'b']) AS document_id, {about}")  # noqa: S608
        db.execute("CREATE TABLE generation AS SELECT 'g' AS generation_id")
        db.execute("CREATE TABLE generation_token AS SELECT 'g' AS generation_id, 0 AS position, ' Lima' AS text")
        db.execute("""CREATE TABLE influence AS SELECT 'r' AS run_id, 'g' AS generation_id, 0 AS position, * FROM
            (VALUES ('a', 1, 2.0), ('b', 2, -1.0)) AS t(document_id, rank, score)""")
        for name in ("answer_document", "document_total", "helped_answer", "token_driver", "document_word"):
            db.execute(f"CREATE TABLE {name} AS {SUMMARIES[name]}")
        assert db.sql("SELECT document_id, n_top10 FROM answer_document").fetchall() == [("a", 1), ("b", 0)]
        assert db.sql("SELECT document_id, n_top10_answers FROM document_total").fetchall() == [("a", 1), ("b", 0)]
        for name in ("helped_answer", "token_driver", "document_word"):
            assert db.sql(f"SELECT document_id FROM {name}").fetchall() == [("a",)], name  # noqa: S608


def test_what_a_document_did_in_all_answers(snapshot, by_pair):
    rows = snapshot.rows("SELECT * FROM document_total")
    documents = snapshot.rows("SELECT document_id, source, topic FROM document")
    where = {row["document_id"]: (row["source"], row["topic"]) for row in documents}
    assert len(rows) == len({(document, run) for document, run, _ in by_pair})
    for row in rows[::7]:
        kept = [
            each
            for (document, run, _), pairs in by_pair.items()
            if (document, run) == (row["document_id"], row["run_id"])
            for each in pairs
        ]
        assert row["n_answers"] == len({each["generation_id"] for each in kept})
        assert (row["n_tokens"], row["n_top10"]) == (len(kept), sum(each["rank"] <= 10 for each in kept))
        assert math.isclose(row["helped"], sum(max(each["score"], 0) for each in kept), rel_tol=1e-5, abs_tol=1e-9)
        helped = {(each["run_id"], each["generation_id"]) for each in kept if each["rank"] <= 10}
        assert row["n_top10_answers"] == len(helped)
        assert (row["source"], row["topic"]) == where[row["document_id"]]
    order = [(row["run_id"], -row["n_top10"], -row["n_top10_answers"], row["document_id"]) for row in rows]
    assert order == sorted(order)


def test_the_answers_that_a_document_helps(snapshot, by_pair):
    ids = {row["rowid"]: row["generation_id"] for row in snapshot.rows("SELECT rowid, generation_id FROM generation")}
    expected = defaultdict(set)
    for (document, _, generation), kept in by_pair.items():
        if any(each["rank"] <= 10 for each in kept):
            expected[document].add(generation)
    found = snapshot.rows("SELECT * FROM helped_answer")
    assert {row["document_id"]: {ids[each] for each in row["generations"]} for row in found} == expected
    assert all(len(row["generations"]) == len(set(row["generations"])) for row in found)


def test_the_answers_with_a_token(snapshot):
    ids = {row["rowid"]: row["generation_id"] for row in snapshot.rows("SELECT rowid, generation_id FROM generation")}
    expected = defaultdict(set)
    for row in snapshot.rows("SELECT text, generation_id FROM generation_token"):
        expected[row["text"]].add(row["generation_id"])
    found = snapshot.rows("SELECT * FROM token_answer")
    assert {row["text"]: {ids[each] for each in row["generations"]} for row in found} == expected


@pytest.mark.parametrize("words", [True, False])
def test_the_source_of_an_answer(snapshot, by_pair, words, tmp_path):
    """Of the whole answer the first document of its exact ranking; without one, the largest sum of what is kept."""
    if not words:
        build_synthetic(tmp_path, without=spans.TABLES)
        snapshot = Database(tmp_path).current()
    exact = defaultdict(list)
    for each in snapshot.rows(
        """SELECT * FROM span_influence JOIN span USING (generation_id, span) WHERE kind = 'answer' AND rank = 1"""
    ):
        found = each["document_id"], each["score"], each["last"] - each["first"] + 1
        exact[each["run_id"], each["generation_id"]].append(found)
    assert bool(exact) == words
    documents = {row["document_id"]: row for row in snapshot.rows("SELECT document_id, title, source FROM document")}
    rows = snapshot.rows("SELECT * FROM answer_source")
    assert len(rows) == len({(run, generation) for _, run, generation in by_pair})
    for row in rows:
        kept = [
            (each["score"], each["position"], each["rank"], document)
            for (document, run, generation), pairs in by_pair.items()
            if (run, generation) == (row["run_id"], row["generation_id"])
            for each in pairs
        ]
        best = [document for score, *_, document in kept if score == max(kept)[0]]
        assert row["best_document_id"] == min(best)
        assert row["best_source"] == documents[row["best_document_id"]]["source"]
        assert [row["first_document_id"]] == [document for *_, at, rank, document in kept if (at, rank) == (0, 1)]
        assert row["sum_source"] == documents[row["sum_document_id"]]["source"]
        assert row["first_title"] == documents[row["first_document_id"]]["title"]
        if exact:
            [[document_id, score, n_tokens]] = exact[row["run_id"], row["generation_id"]]
            assert (row["sum_document_id"], row["sum_score"], row["sum_tokens"]) == (document_id, score, n_tokens)
            continue
        sums = defaultdict(list)
        for score, *_, document in kept:
            sums[document].append(score)
        largest = max(sum(of) for of in sums.values())
        assert math.isclose(sum(sums[row["sum_document_id"]]), largest, rel_tol=1e-5, abs_tol=1e-9)
        assert math.isclose(row["sum_score"], largest, rel_tol=1e-5, abs_tol=1e-9)
        assert row["sum_tokens"] == len(sums[row["sum_document_id"]])


def test_the_tokens_of_a_document(snapshot):
    expected = defaultdict(list)
    for row in snapshot.rows("SELECT * FROM document_token ORDER BY token_position"):
        expected[row["tokenizer_id"], row["document_id"]].append(row["text"])
    found = snapshot.rows("SELECT * FROM token_texts")
    assert {(row["tokenizer_id"], row["document_id"]): row["texts"] for row in found} == expected


def test_the_words_of_the_documents_that_helped(snapshot):
    helped = {row["document_id"] for row in snapshot.rows("SELECT document_id FROM influence WHERE rank <= 10")}
    documents = [row for row in snapshot.rows("SELECT * FROM document") if row["document_id"] in helped]
    expected = {(word, row["document_id"]) for row in documents for word in re.findall(r"[^\W_]+", row["text"])}
    rows = snapshot.rows("SELECT word, document_id FROM document_word")
    assert {(row["word"], row["document_id"]) for row in rows} == expected
    assert len(rows) == len(expected)
    assert [row["word"].encode() for row in rows] == sorted(row["word"].encode() for row in rows)


def test_topics_and_ranks_add_up(snapshot):
    total = snapshot.rows("SELECT sum(helped) AS helped, sum(hurt) AS hurt FROM document_total")[0]
    topics = snapshot.rows("SELECT sum(helped) AS helped, sum(hurt) AS hurt FROM topic_total")[0]
    assert math.isclose(total["helped"], topics["helped"], rel_tol=1e-5)
    assert math.isclose(total["hurt"], topics["hurt"], rel_tol=1e-5)
    for row in snapshot.rows("SELECT run_id, sum(share) AS whole, max(n_tokens) AS n FROM rank_share GROUP BY run_id"):
        assert math.isclose(row["whole"], 1, rel_tol=1e-5)  # every first token has as many helpful documents here
        assert row["n"] == 10


def test_the_overlap_of_two_sizes(snapshot):
    best, tokens = defaultdict(list), {}
    for row in snapshot.rows(
        """SELECT run_id, prompt_id, document_id, token.text, n_params FROM influence JOIN run USING (run_id)
           JOIN model USING (model_id) JOIN generation USING (generation_id) JOIN generation_token AS token
           USING (generation_id, position) WHERE position = 0 AND influence.rank <= 10 AND score > 0"""
    ):
        best[row["run_id"], row["prompt_id"]].append(row["document_id"])
        tokens[row["run_id"], row["prompt_id"]] = (row["text"], row["n_params"])
    expected = {}
    for (run, prompt), (text, size) in tokens.items():
        for other in {each for each, _ in tokens}:
            other_text, other_size = tokens[other, prompt]
            if size < other_size and text == other_text:
                mine, theirs = best[run, prompt], best[other, prompt]
                expected[run, other, prompt] = len({*mine} & {*theirs}) / max(len(mine), len(theirs))
    rows = snapshot.rows("SELECT * FROM size_overlap")
    found = {(row["run_id"], row["other_run_id"], row["prompt_id"]): row["overlap"] for row in rows}
    assert found == pytest.approx(expected)
    assert len(found) > 5


def test_what_drives_a_token(snapshot):
    tokens = {
        (row["generation_id"], row["position"]): row["text"].strip(" ")
        for row in snapshot.rows("SELECT generation_id, position, text FROM generation_token")
    }
    sums, counts = defaultdict(float), defaultdict(int)
    for row in snapshot.rows("SELECT * FROM influence WHERE rank <= 10"):
        of = row["run_id"], tokens[row["generation_id"], row["position"]], row["document_id"]
        sums[of] += row["score"]
        counts[of] += 1
    rows = snapshot.rows("SELECT * FROM token_driver")
    found = {(row["run_id"], row["token"], row["document_id"]): row for row in rows}
    assert len(found) == len(rows)
    assert {of: row["n_places"] for of, row in found.items()} == counts
    assert {of: row["score"] for of, row in found.items()} == pytest.approx(sums, rel=1e-5, abs=1e-9)
    order = [(row["run_id"], row["token"].encode(), -row["score"], row["document_id"]) for row in rows]
    assert order == sorted(order)
