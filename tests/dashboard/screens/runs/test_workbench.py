"""Runs as a workbench: kinds of answers, orders, counts of a word, asked prompts, and the list as a file."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection, address, from_address
from dashboard.database.queries import answers, filters
from dashboard.export.files import json_lines
from dashboard.screens.runs.asked_here import asked_rows, passing_asked
from dashboard.screens.runs.passing import passing
from dashboard.screens.runs.sheet import runs_sheet
from indexer.ask.kept import AskedPrompt
from indexer.database.reader import Database, Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]
LIMA, PATTERN = "Lima", r"\ba.b\b"


def drawn(app: AppTest) -> dict:  # type: ignore[type-arg] # JSON
    assert not app.exception
    [table] = [each for each in components(app, "prompt_table") if each["sortable"]]
    return table


@pytest.fixture(scope="module")
def mixed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wrong answer of one size; a prompt that one size alone was asked."""
    changes = [
        "UPDATE generation SET text = ' Cusco, and Cusco again.' WHERE rowid = 0",
        "UPDATE answer_kind SET is_right = false WHERE generation_id = (SELECT generation_id FROM generation LIMIT 1)",
        "DELETE FROM generation WHERE prompt_id = (SELECT prompt_id FROM generation ORDER BY rowid DESC LIMIT 1)"
        " AND rowid < (SELECT max(rowid) FROM generation)",
    ]
    return changed(folder, tmp_path_factory.mktemp("mixed") / "build", changes)


def test_wrong_answers_alone_pass_and_are_told_apart(open_app: Open, mixed: Path) -> None:
    snapshot = Database(mixed).current()
    table = drawn(open_app({"only": "wrong"}, screen="runs", where=mixed))
    wrong = {row["generation_id"] for row in snapshot.rows("SELECT * FROM answer_kind WHERE NOT is_right")}
    passed = {answer["id"] for row in table["rows"] for answer in row["answers"] if answer and answer["passes"]}
    assert passed == wrong and any(not a["passes"] for row in table["rows"] for a in row["answers"] if a)


def test_the_count_of_a_word_is_that_of_its_marks(open_app: Open, mixed: Path) -> None:
    app = open_app({"filter": "cusco"}, screen="runs", where=mixed)
    marks = [
        piece for row in drawn(app)["rows"] for a in row["answers"] if a for piece, marked in a["pieces"] if marked
    ]
    assert marks == ["Cusco", "Cusco"]
    assert "1 prompt, 1 answer. “cusco” stands in them 2 times." in words(app)
    assert "All about" in " ".join(button.label for button in app.button)
    snapshot = Database(mixed).current()
    ids = [row["generation_id"] for row in snapshot.rows("SELECT generation_id FROM generation")]
    [row] = snapshot.rows("SELECT count(*) AS n FROM generation_token WHERE trim(text) = 'Lima'")
    assert filters.count_matches(snapshot, "Lima", "literal", ids) == row["n"] > 0
    assert filters.count_matches(snapshot, "^ ?Lima$", "regex", ids) == row["n"]


@pytest.mark.parametrize(
    ("arranged", "sql"),
    [
        ("answer", "lower(trim(text))"),
        ("certainty", "-(SELECT avg(logp) FROM generation_token AS t WHERE t.generation_id = g.generation_id)"),
        ("newest", "-epoch(created_at)"),
        ("share", """-(SELECT avg(greatest(0, least(1, (bits_nothing - bits_full) / bits_nothing)))
            FROM generation_token AS t WHERE t.generation_id = g.generation_id AND bits_nothing > 0)"""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("turned", [False, True])
def test_rows_come_by_a_size(snapshot: Snapshot, arranged: str, sql: str, turned: bool) -> None:
    found = list(filters.passing_answers(snapshot, arranged=arranged, arranged_size="synth-m", turned=turned))
    of = f"SELECT prompt_id, {sql} AS value FROM generation AS g JOIN model USING (model_id) WHERE name = 'synth-m'"  # noqa: S608
    values = {row["prompt_id"]: row["value"] for row in snapshot.rows(of)}
    shown = [values[each] for each in found]
    assert len(found) == len(values) and shown == sorted(values.values(), reverse=turned)


def test_rows_come_by_their_prompts_and_a_click_turns_them(open_app: Open, snapshot: Snapshot) -> None:
    texts = {row["prompt_id"]: row["text"] for row in snapshot.rows("SELECT prompt_id, text FROM prompt")}
    for turned in ("no", "yes"):
        table = drawn(open_app({"rows": "prompt", "turned": turned}, screen="runs"))
        shown = [texts[row["key"]] for row in table["rows"]]
        assert shown == sorted(texts.values(), reverse=turned == "yes")
        assert table["arranged"] == {"name": "", "turned": turned == "yes"}
    table = drawn(open_app({"rows": "certainty", "of": "nobody"}, screen="runs"))
    assert table["arranged"]["name"] == "synth-s"  # the first that is shown


def test_a_size_of_another_stage_has_no_column(open_app: Open, folder: Path, mixed: Path, tmp_path: Path) -> None:
    """Of a prompt after which one size was not run yet, it stands beside the others."""
    table = drawn(open_app(screen="runs", where=mixed))
    assert {len(row["columns"]) for row in table["rows"]} == {3}
    [alone] = [row for row in table["rows"] if None in row["answers"]]
    assert sum(answer is not None for answer in alone["answers"]) == 1
    of_small = "model_id = (SELECT model_id FROM model WHERE name = 'synth-s')"
    kept = f"(SELECT min(rowid) FROM generation WHERE {of_small})"  # noqa: S608
    apart = [
        f"DELETE FROM generation WHERE {of_small} AND rowid > {kept}",  # noqa: S608
        f"UPDATE generation SET prompt_id = 'other' WHERE {of_small}",  # noqa: S608
        "INSERT INTO prompt SELECT * REPLACE ('other' AS prompt_id) FROM prompt LIMIT 1",
    ]
    table = drawn(open_app(screen="runs", where=changed(folder, tmp_path / "build", apart)))
    keys = [row["key"] for row in table["rows"]]
    assert "other" in keys and len(keys) > 1
    for row in table["rows"]:
        names = [column["name"] for column in row["columns"]]
        assert names == (["synth-s"] if row["key"] == "other" else ["synth-m", "synth-l"])


def test_the_address_holds_every_filter() -> None:
    chosen = Selection(only=("wrong", "sizes"), arranged="certainty", arranged_size="a size", turned="yes")
    assert address(chosen) == {"only": "wrong.sizes", "rows": "certainty", "of": "a size", "turned": "yes"}
    assert from_address(address(chosen)) == chosen
    assert from_address({"only": "sizes.nothing.wrong"}).only == ("wrong", "sizes")
    assert Selection(page=3).with_(only=("new",)).page is None


def test_most_asks_for_a_group_and_takes_its_first_place(open_app: Open, snapshot: Snapshot) -> None:
    app = open_app({"only": "most"}, screen="runs")
    assert not app.exception and "Choose the group" in " ".join(each.value for each in app.caption)
    found = filters.passing_answers(snapshot, only=["most"], owes=("source", "Factbook"))
    rows = snapshot.rows(
        """SELECT generation_id FROM answer_group WHERE value = 'Factbook' AND rank = 1 AND score > 0"""
    )
    assert {each for ids in found.values() for each in ids} == {row["generation_id"] for row in rows}


def asked(i: int, model: str, prompt: str, text: str) -> AskedPrompt:
    return AskedPrompt(str(i), datetime(2026, 1, i + 1, tzinfo=UTC), model, prompt, text)


def test_asked_prompts_pass_the_same_filters(snapshot: Snapshot) -> None:
    models = {each.name: each for each in answers.models(snapshot)}
    given = [
        asked(3, "synth-l", "The capital of Peru is", " Lima."),
        asked(2, "synth-s", "The capital of Peru is", " Limatambo."),
        asked(1, "gone", "Hello", " a_b Lima"),
    ]

    def found(**filtered: object) -> list[str]:
        chosen = Selection(**filtered)  # type: ignore[arg-type]
        return [each.asked_id for each in passing_asked(snapshot, given, chosen, models)]

    assert found() == ["3", "2", "1"]
    assert found(token=LIMA) == ["3", "1"]
    assert found(token=LIMA, size="gone") == ["1"]
    assert found(token=LIMA[:3], match="prefix", family="synth") == ["3", "2"]
    assert found(token=PATTERN, match="regex") == ["1"] and found(text="hello") == ["1"]
    assert found(only=("wrong",)) == found(topic="capital") == found(token=LIMA, within="documents") == []
    rows = asked_rows(given, Selection(token=LIMA), models)
    assert [[column.name for column in row.columns] for row in rows] == [["synth-s", "synth-l"], ["gone"]]
    assert rows[0].answers[1] and ("Lima", True) in rows[0].answers[1].pieces


def test_the_list_is_saved_as_it_is_filtered_and_reads_alone(snapshot: Snapshot) -> None:
    chosen = Selection(token=LIMA, size="synth-m")
    rows = [
        json.loads(line) for line in json_lines(runs_sheet(snapshot, passing(snapshot, chosen), chosen)).splitlines()
    ]
    expected = snapshot.rows("""SELECT generation_id, generation.text FROM generation JOIN model USING (model_id)
        WHERE name = 'synth-m' AND regexp_matches(generation.text, '\\bLima\\b')""")
    assert {row["generation_id"] for row in rows} == {row["generation_id"] for row in expected} and rows
    for row in rows:
        assert row["times"] == row["answer"].count("Lima") and row["estimator"] == "EK-FAC" and row["run_id"]
        [document] = snapshot.rows("SELECT * FROM document WHERE document_id = ?", [row["best_document_id"]])
        assert (row["best_document_text"], row["best_document_source"]) == (document["text"], document["source"])
        assert row["link"] == f"/?generation={row['generation_id']}"
