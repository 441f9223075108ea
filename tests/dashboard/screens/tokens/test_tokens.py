"""The page of a word: every count and every sum against a loop over the rows."""

import json
import re
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import UNFILTERED, Selection
from dashboard.database.queries import answers
from dashboard.database.queries.written import words as written
from dashboard.export.files import json_lines
from dashboard.screens.tokens import driven
from dashboard.screens.tokens.sheet import tokens_sheet
from dashboard.screens.tokens.view import SHOWN, view
from indexer.database.reader import Database, Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.dashboard.hostile import HOSTILE

Open = Callable[..., AppTest]
CITY = "Lima"


@pytest.fixture(scope="module")
def run(snapshot: Snapshot) -> dict[str, Any]:
    """A size that writes it, with a run."""
    [row] = snapshot.rows("SELECT model_id, run_id FROM run JOIN model USING (model_id) WHERE name = 'synth-m'")
    return row


def by_hand(snapshot: Snapshot, run: dict[str, Any], unit: str) -> list[tuple[str, int, int, int]]:
    """(generation, span or position, first, last) where it is written, by a loop."""
    texts = {
        row["generation_id"]: row["text"]
        for row in snapshot.rows("SELECT generation_id, text FROM generation WHERE model_id = ?", [run["model_id"]])
    }
    if unit == "token":
        rows = snapshot.rows("SELECT generation_id, position, text FROM generation_token")
        return [
            (row["generation_id"], row["position"], row["position"], row["position"])
            for row in rows
            if row["generation_id"] in texts and row["text"].strip() == CITY
        ]
    rows = snapshot.rows("SELECT * FROM span WHERE kind = 'word'")
    return [
        (row["generation_id"], row["span"], row["first"], row["last"])
        for row in rows
        if texts.get(row["generation_id"], "")[row["start"] : row["stop"]].lower() == CITY.lower()
    ]


@pytest.mark.parametrize("unit", ["word", "token"])
def test_places_and_drivers_are_sums_over_the_rows(snapshot: Snapshot, run: dict[str, Any], unit: str) -> None:
    expected = by_hand(snapshot, run, unit)
    places = written.places(snapshot, run["model_id"], CITY if unit == "token" else " lima ", unit)
    assert sorted((each.generation_id, each.first, each.last) for each in places) == sorted(
        (generation, first, last) for generation, _, first, last in expected
    )
    assert places
    for place in places:
        tokens = snapshot.rows("SELECT * FROM generation_token WHERE generation_id = ?", [place.generation_id])
        total = sum(each["logp"] for each in tokens if place.first <= each["position"] <= place.last)
        assert place.logp == pytest.approx(total)
    sums, counts = defaultdict(float), defaultdict(int)
    table, key = ("span_influence", "span") if unit == "word" else ("influence", "position")
    asked = {(generation, number) for generation, number, _, _ in expected}
    for row in snapshot.rows(f"SELECT * FROM {table} WHERE run_id = ?", [run["run_id"]]):  # noqa: S608
        if (row["generation_id"], row[key]) in asked and (unit == "word" or row["rank"] <= written.TEN):
            sums[row["document_id"]] += row["score"]
            counts[row["document_id"]] += 1
    found = written.all_drivers(snapshot, run["model_id"], run["run_id"], CITY, unit)
    assert {each.document_id: each.n_places for each in found} == counts
    assert {each.document_id: each.score for each in found} == pytest.approx(sums)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert written.drivers(snapshot, run["model_id"], run["run_id"], CITY, unit, 3) == found[:3] != found


@pytest.mark.parametrize("unit", ["word", "token"])
def test_most_written_are_those_of_most_answers(snapshot: Snapshot, run: dict[str, Any], unit: str) -> None:
    said: dict[str, set[str]] = defaultdict(set)
    for row in snapshot.rows("SELECT * FROM generation WHERE model_id = ?", [run["model_id"]]):
        if unit == "word":
            spans = snapshot.rows("SELECT * FROM span WHERE generation_id = ?", [row["generation_id"]])
            parts = [row["text"][each["start"] : each["stop"]] for each in spans if each["kind"] == "word"]
        else:
            asked = "SELECT text FROM generation_token WHERE generation_id = ?"
            parts = [each["text"].strip() for each in snapshot.rows(asked, [row["generation_id"]])]
        for part in filter(str.isalpha, parts):
            said[part.lower() if unit == "word" else part].add(row["generation_id"])
    expected = sorted(said, key=lambda each: (len(each) < written.LONG, -len(said[each])))
    found = written.most_written(snapshot, run["model_id"], unit, 1000)
    assert [each.n_answers for each in found] == [len(said[each]) for each in expected]
    counts = {each.word.lower() if unit == "word" else each.word: each.n_answers for each in found}
    assert counts == {each: len(of) for each, of in said.items()}
    assert written.most_written(snapshot, run["model_id"], unit, 2) == found[:2]


def test_before_a_word_is_typed_some_are_offered(open_app: Open, snapshot: Snapshot) -> None:
    app = open_app({}, screen="tokens")
    [bars] = [each for each in components(app, "bar_list") if each["clickable"]]
    offered = written.most_written(snapshot, answers.example(snapshot).model.model_id, "word", 20)
    assert [bar["name"] for bar in bars["bars"]] == [each.word for each in offered] and offered
    plural = "" if offered[0].n_answers == 1 else "s"
    assert bars["bars"][0]["said"] == f"{offered[0].n_answers} answer{plural}"


def test_a_database_without_the_table_of_drivers_adds_them_up(
    folder: Path, snapshot: Snapshot, run: dict[str, Any], tmp_path: Path
) -> None:
    older = Database(changed(folder, tmp_path / "build", ["DROP TABLE token_driver"])).current()
    found, expected = (
        written.all_drivers(of, run["model_id"], run["run_id"], f" {CITY} ", "token") for of in (older, snapshot)
    )
    assert [(each.document_id, each.n_places) for each in found] == [(of.document_id, of.n_places) for of in expected]
    assert [each.score for each in found] == pytest.approx([each.score for each in expected])
    assert found


@pytest.mark.parametrize("unit", ["word", "token"])
def test_groups_are_sums_over_the_tokens_of_the_places(snapshot: Snapshot, run: dict[str, Any], unit: str) -> None:
    tokens = {(g, i) for g, _, first, last in by_hand(snapshot, run, unit) for i in range(first, last + 1)}
    sums: dict[str, float] = defaultdict(float)
    for row in snapshot.rows("SELECT * FROM group_influence WHERE run_id = ?", [run["run_id"]]):
        if row["column_name"] == "source" and (row["generation_id"], row["position"]) in tokens:
            sums[row["value"]] += row["score"]
    found = written.driving_groups(snapshot, run["model_id"], run["run_id"], CITY, unit, "source")
    assert {each.value: each.score for each in found} == pytest.approx(sums) and sums


def test_a_group_leads_to_the_answers_with_the_word_that_it_helps_or_hurts_most(
    open_app: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And to no filter that was left on Runs before."""
    opened: list[dict[str, Any]] = []
    drawn: list[Any] = []
    monkeypatch.setattr(driven, "open_screen", lambda name, **changes: opened.append({"name": name} | changes))
    monkeypatch.setattr(
        driven.render, "bar_list", lambda bars, **of: drawn.append((bars, of["on_bar"])) if "groups" in of["key"] else 0
    )
    open_app({"filter": CITY, "topic": "history", "side": "both", "in": "documents"}, screen="tokens")
    [(bars, on_bar)] = drawn
    assert {bar.amount > 0 for bar in bars} == {True, False}
    for bar in bars:
        on_bar(bar.key)
        side = "towards" if bar.amount > 0 else "away"
        wanted = UNFILTERED | {"token": CITY, "match": "word", "within": "answers"}
        assert opened.pop() == wanted | {"name": "runs", "group": f"source:{bar.key}", "tail": side}


@pytest.mark.parametrize("typed", ["Lima", "lima", "capital", "capital of Peru", "nowhere", "of"])
def test_training_texts_are_counted_by_source(snapshot: Snapshot, typed: str) -> None:
    texts, times, all_of = defaultdict(int), defaultdict(int), defaultdict(int)
    pattern = rf"(?i)(?<![^\W_]){re.escape(typed)}(?![^\W_])"
    for row in snapshot.rows("SELECT source, text FROM document"):
        n = len(re.findall(pattern, row["text"]))
        all_of[row["source"]] += 1
        texts[row["source"]] += bool(n)
        times[row["source"]] += n
    found = {each.source: each for each in written.in_texts(snapshot, typed)}
    assert {name: each.n_documents for name, each in found.items()} == {k: n for k, n in texts.items() if n}
    for name, each in found.items():
        assert (each.n_times, each.all_documents) == (times[name], all_of[name])


def test_texts_of_no_source_and_of_scripts_without_spaces_count(folder: Path, tmp_path: Path) -> None:
    changes = ["UPDATE document SET source = NULL WHERE source = 'WordNet'"]
    changes += ["UPDATE document SET source = 'Own', text = '東京です。東京 a A ab ba a.' WHERE rowid = 0"]
    snapshot = Database(changed(folder, tmp_path / "build", changes)).current()
    assert [(each.source, each.n_times) for each in written.in_texts(snapshot, "東京")] == [("Own", 2)]
    found = {each.source: each for each in written.in_texts(snapshot, "cities")}
    [n] = snapshot.rows("SELECT count(*) AS n FROM document WHERE source IS NULL AND contains(text, 'cities')")
    assert found[""].n_documents == n["n"] > 0
    assert {each.source: each.n_times for each in written.in_texts(snapshot, "a")}["Own"] == 3


def test_the_page_says_what_the_database_does(open_app: Open, snapshot: Snapshot) -> None:
    app = open_app({"filter": "lima"}, screen="tokens")
    assert not app.exception
    texts = [row["text"] for row in snapshot.rows("SELECT text FROM generation")]
    n = [len(re.findall(r"\bLima\b", text)) for text in texts]
    [of] = snapshot.rows(r"SELECT count(*) AS n FROM document WHERE regexp_matches(text, '\bLima\b')")
    answers = sum(map(bool, n))
    assert f"Written {sum(n):,} times in {answers:,} answers; as a word, " in words(app)
    assert f" in {of['n']} training text" in words(app)
    [table] = components(app, "prompt_table")
    marked = [piece for row in table["rows"] for a in row["answers"] if a for piece, mark in a["pieces"] if mark]
    assert marked == ["Lima"] * sum(n)
    [cards] = [each for each in components(app, "document_list") if "behind the word" in each["label"]]
    assert cards["items"][0]["score"] == "+100.0"
    assert "percent of the strongest group" in words(app)


def test_the_sheet_reads_alone(snapshot: Snapshot) -> None:
    chosen = Selection(token=CITY)
    rows = [
        json.loads(line) for line in json_lines(tokens_sheet(snapshot, view(snapshot, chosen), chosen)).splitlines()
    ]
    assert {row["model"] for row in rows} == {"synth-s", "synth-m", "synth-l"}
    for size in view(snapshot, chosen).sizes:  # all of them, of which the page shows the first
        n = len(written.all_drivers(snapshot, size.model.model_id, size.run.run_id, CITY, "word"))
        assert sum(row["model"] == size.model.name for row in rows) == n > len(size.drivers) == SHOWN
    for row in rows[:5]:
        [document] = snapshot.rows("SELECT * FROM document WHERE document_id = ?", [row["document_id"]])
        assert (row["title"], row["text"]) == (document["title"], document["text"])
        assert row["estimator"] == "EK-FAC" and row["link"] == f"/corpus?document={row['document_id']}"


@pytest.mark.parametrize("typed", ["", "nowhere", *HOSTILE[:6]])
@pytest.mark.parametrize("match", ["word", "literal"])
def test_whatever_is_typed_is_a_page(open_app: Open, typed: str, match: str) -> None:
    app = open_app({"filter": typed[:150], "match": match}, screen="tokens")
    assert not app.exception and not app.error
    if typed == "nowhere":
        assert "In no answer; as a word, in no training text." in words(app)


def test_an_older_database_says_what_is_missing(open_app: Open, folder: Path, tmp_path: Path) -> None:
    gone = [f"DROP TABLE {name}" for name in ("span_influence", "group_influence", "answer_group", "verbatim")]
    app = open_app({"filter": CITY}, screen="tokens", where=changed(folder, tmp_path / "build", gone))
    assert not app.exception
    assert "Whole groups are not known for it." in [each.value for each in app.caption]
    [cards] = [each for each in components(app, "document_list") if "behind the word" in each["label"]]
    assert cards["items"][0]["facts"].startswith("among the ten best of ")
