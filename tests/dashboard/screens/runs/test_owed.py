"""Which answers owe most to a group of documents, and whose words: against sums over the rows."""

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.queries import filters, groups
from dashboard.screens.runs.sheet import runs_sheet
from indexer.database.reader import Database, Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.dashboard.hostile import HOSTILE

Open = Callable[..., AppTest]
FILTERS = {"text": "", "token": "", "match": "word", "within": "answers", "size": "", "family": "", "topic": ""}
TABLES = ("corpus_group", "group_influence", "answer_group")


@pytest.fixture(scope="module")
def sums(snapshot: Snapshot) -> dict[str, dict[str, Any]]:
    """generation -> prompt, size and influence of all that Factbook holds on the answer's text, by a loop."""
    ends = {row["generation_id"]: row["last"] for row in snapshot.rows("SELECT * FROM span WHERE kind = 'answer'")}
    found: dict[str, dict[str, Any]] = {}
    for row in snapshot.rows("""SELECT generation_id, prompt_id, name, position, score FROM group_influence
            JOIN generation USING (generation_id) JOIN model USING (model_id) WHERE value = 'Factbook'"""):
        one = found.setdefault(row["generation_id"], row | {"score": 0.0, "tokens": {}})
        one["tokens"][row["position"]] = row["score"]
        if row["position"] <= ends[row["generation_id"]]:
            one["score"] += row["score"]
    return found


def test_owed_is_the_sum_over_the_answer_and_names_its_words(
    snapshot: Snapshot, sums: dict[str, dict[str, Any]]
) -> None:
    found = groups.owed(snapshot, "source", "Factbook", list(sums))
    assert found.keys() == sums.keys()
    spans: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in snapshot.rows("SELECT span.*, text FROM span JOIN generation USING (generation_id) WHERE kind = 'word'"):
        spans[row["generation_id"]].append(row)
    for generation_id, owed in found.items():
        assert owed.score == pytest.approx(sums[generation_id]["score"], rel=1e-5)
        tokens = sums[generation_id]["tokens"]
        by_word = [
            (sum(tokens[i] for i in range(row["first"], row["last"] + 1)), row["text"][row["start"] : row["stop"]])
            for row in spans[generation_id]
        ]
        assert owed.helped_score == pytest.approx(max(by_word)[0], rel=1e-5)
        assert owed.helped_word == max(by_word)[1]
        assert owed.hurt_score == pytest.approx(min(by_word)[0], rel=1e-5)
        assert owed.hurt_word == min(by_word)[1]
        assert 1 <= owed.rank <= owed.n_groups == 3


@pytest.mark.parametrize(("side", "sign"), [("towards", 1), ("away", -1)])
@pytest.mark.parametrize("size", ["", "synth-m"])
def test_prompts_come_by_what_an_answer_owes(
    snapshot: Snapshot, sums: dict[str, dict[str, Any]], side: str, sign: int, size: str
) -> None:
    best: dict[str, float] = {}
    for one in sums.values():
        if sign * one["score"] > 0 and size in ("", one["name"]):
            best[one["prompt_id"]] = max(sign * one["score"], best.get(one["prompt_id"], 0.0))
    found = filters.passing_answers(
        snapshot, **FILTERS | {"size": size}, source="", owes=("source", "Factbook"), side=side
    )
    assert list(found) == sorted(best, key=lambda prompt_id: -best[prompt_id])


def test_runs_shows_them_in_that_order_and_opens_the_word(
    open_app: Open, snapshot: Snapshot, sums: dict[str, dict[str, Any]]
) -> None:
    app = open_app({"group": "source:Factbook"}, screen="runs")
    [table] = [each for each in components(app, "prompt_table") if each["sortable"]]
    first = table["rows"][0]
    assert first["key"] == max(sums.values(), key=lambda one: one["score"])["prompt_id"]
    for answer in first["answers"]:
        assert answer["owed"].startswith("Factbook") and "most on “" in answer["owed"]
        calibrated = answer["model"] == "synth-m" if "model" in answer else answer is first["answers"][1]
        assert (" nats" in answer["owed"]) == calibrated
        assert answer["owed"] in answer["said"] and answer["owed"] in answer["name"]
    assert "No retraining has measured how large one nat" in words(app)
    plain = open_app(screen="runs")
    assert all(not each["owed"] for row in components(plain, "prompt_table")[0]["rows"] for each in row["answers"])


def test_the_sheet_has_what_every_answer_owes(snapshot: Snapshot, sums: dict[str, dict[str, Any]]) -> None:
    passing = filters.passing_answers(snapshot, **FILTERS, source="", owes=("source", "Factbook"), side="both")
    made = runs_sheet(snapshot, passing, Selection(group="source:Factbook")).table()
    assert len(made) == len(sums)
    for generation_id, nats in zip(made["generation_id"], made["group_raw"], strict=True):
        assert nats == pytest.approx(sums[generation_id]["score"], rel=1e-5)
    assert "group_raw" not in runs_sheet(snapshot, passing, Selection()).table()


@pytest.mark.parametrize("group", ["source:nobody", "nothing", ":", "licence:x:y"])
def test_a_group_that_nobody_knows_is_said_in_a_line(open_app: Open, group: str) -> None:
    app = open_app({"group": group}, screen="runs")
    assert not app.exception and not app.error
    assert "No answer passes these filters." in words(app)


def test_a_file_without_groups_offers_none(open_app: Open, folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path / "build", ["DROP TABLE answer_group", "DROP TABLE group_influence"])
    app = open_app({"group": "source:Factbook"}, screen="runs", where=copy)
    assert not app.exception
    assert "No answer passes these filters." in words(app)
    assert "Owes most to" not in [each.label for each in open_app(screen="runs", where=copy).selectbox]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_group_may_be_called_anything(open_app: Open, folder: Path, tmp_path: Path, name: str) -> None:
    name = name[:80]
    value = name.replace("'", "''")
    renamed = [f"UPDATE {table} SET value = '{value}' WHERE value = 'Factbook'" for table in TABLES]  # noqa: S608
    copy = changed(folder, tmp_path / "build", renamed)
    app = open_app({"group": f"source:{name}"}, screen="runs", where=copy)
    assert not app.exception and not app.error
    assert any(each["sortable"] for each in components(app, "prompt_table"))
    app = open_app(screen="explain", where=copy)
    assert not app.exception
    [bars] = [each for each in components(app, "bar_list") if each["label"].startswith("Influence of whole groups")]
    assert len(bars["bars"]) == 3


def test_the_sources_of_most_documents_are_offered_and_none_without_a_name(
    open_app: Open, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """'' would be a second line for all of them."""
    emptied = ["UPDATE document SET source = '', topic = NULL WHERE source = 'Factbook'"]
    copy = changed(folder, tmp_path / "build", emptied)
    app = open_app(screen="corpus", where=copy)
    assert not app.exception
    options = {each.label: each.options for each in app.selectbox}
    assert options["Source"].count("all sources") == options["Topic"].count("all topics") == 1
    assert "None" not in options["Topic"]
    monkeypatch.setattr(filters, "MOST", 1)
    [first] = filters.document_sources(Database(copy).current())
    assert first == options["Source"][1]


def test_a_group_without_a_value_has_a_name(open_app: Open, folder: Path, tmp_path: Path) -> None:
    emptied = [f"UPDATE {table} SET value = '' WHERE value = 'Factbook'" for table in TABLES]  # noqa: S608 (of ours)
    app = open_app({"group": "source:"}, screen="runs", where=changed(folder, tmp_path / "build", emptied))
    [table] = [each for each in components(app, "prompt_table") if each["sortable"]]
    assert table["rows"][0]["answers"][0]["owed"].startswith("(none)")
