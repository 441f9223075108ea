"""Answers that a document sways: by word, by whole answer and by token what SQL over all kept scores gives."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.queries import documents
from dashboard.export.files import as_json, csv
from dashboard.screens.corpus.document_sheet import document_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.calibrated import nats, percent
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components

Open = Callable[..., AppTest]
SPANS = """SELECT generation_id, first, last, score, rank, value AS logp FROM span_influence
    JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
    WHERE run_id = $run AND document_id = $document AND kind = $unit"""
TOKENS = """SELECT generation_id, position AS first, position AS last, score, rank, logp FROM influence
    JOIN generation_token USING (generation_id, position)
    WHERE run_id = $run AND document_id = $document"""
SIZES = ("synth-s", "synth-m", "synth-l")


@pytest.fixture(scope="module")
def document_id(snapshot: Snapshot) -> str:
    """One that helps and hurts in every size."""
    rows = snapshot.rows("""SELECT document_id FROM span_influence GROUP BY document_id
        HAVING count(DISTINCT run_id) FILTER (score > 0) = 3 AND count(DISTINCT run_id) FILTER (score < 0) = 3
        ORDER BY count(*) DESC, document_id LIMIT 1""")
    found: str = rows[0]["document_id"]
    return found


def kept(snapshot: Snapshot, size: str, document_id: str, unit: str) -> list[dict[str, object]]:
    """Every kept score of a size, the most positive first."""
    [run] = snapshot.rows("SELECT run_id FROM run JOIN model USING (model_id) WHERE name = ?", [size])
    values = {"run": run["run_id"], "document": document_id}
    sql = TOKENS if unit == "token" else SPANS
    rows = snapshot.rows(sql, values | ({} if unit == "token" else {"unit": unit}))
    return sorted(rows, key=lambda row: -row["score"])


def strongest(rows: list[dict[str, object]], k: int) -> list[dict[str, object]]:
    """The first of each answer, in their order."""
    of_answer: dict[object, dict[str, object]] = {}
    for row in rows:
        of_answer.setdefault(row["generation_id"], row)
    return list(of_answer.values())[:k]


@pytest.mark.parametrize("unit", ["word", "answer", "token"])
def test_cards_equal_sql(open_app: Open, snapshot: Snapshot, document_id: str, unit: str) -> None:
    app = open_app({"document": document_id, "unit": unit}, screen="corpus")
    assert not app.exception
    towards, away = (each["items"] for each in components(app, "document_list") if each["label"] == "Answers")
    for side, items in ((1, towards), (-1, away)):
        wanted = []
        for size in SIZES:
            rows = [row for row in kept(snapshot, size, document_id, unit) if side * row["score"] > 0]
            wanted += [(size, row) for row in strongest(rows[::side], 3)]
        assert [(item["where"], item["id"].split()[0]) for item in items] == [
            (s, row["generation_id"]) for s, row in wanted
        ]
        for item, (_, row) in zip(items, wanted, strict=True):
            place = item["id"].split()[1]
            assert place in (f"{row['first']}-{row['last']}", str(row["first"]))
            of_size = [each["score"] for size, each in wanted if size == item["where"]]
            calibrated = item["where"] == "synth-m"
            said = nats(row["score"], row["logp"]) if calibrated else None
            assert item["unit"] == ("nats" if calibrated else "%")
            assert float(item["score"].replace("−", "-")) == pytest.approx(
                percent(row["score"], of_size) if said is None else said, abs=0.6 if said is None else 6e-3
            )
            assert unit == "token" or f"rank {row['rank']} of 60" in item["facts"]
            marked = "".join(text for text, amount in item["pieces"] if amount == "mark")
            assert (marked == "") == (unit == "answer")


def test_the_sheet_has_every_kept_word_of_every_size(snapshot: Snapshot, document_id: str) -> None:
    found = documents.document(snapshot, document_id)
    assert found is not None
    for unit in ("word", "answer", "token"):
        sheet = document_sheet(snapshot, found, Selection(document=document_id, unit=unit))
        frame = sheet.table()
        wanted = [(size, row["score"]) for size in SIZES for row in kept(snapshot, size, document_id, unit)]
        assert list(zip(frame["model"], frame["influence_raw"], strict=True)) == wanted
        assert (frame["change_nats"].notna() == (frame["model"] == "synth-m")).all()
        assert (frame["by"] == unit).all() and (frame["of_scored"] == 60).all()
        assert csv(sheet) and as_json(sheet)
        assert sheet.about["document_id"] == document_id


def test_a_database_of_before_is_asked_by_token(open_app: Open, folder: Path, tmp_path: Path, document_id: str) -> None:
    tables = ("span", "span_candidate", "span_target", "span_influence", "span_position", "document_span")
    tables += ("document_words",)
    where = changed(folder, tmp_path / "before", [f"DROP TABLE {table}" for table in tables])
    app = open_app({"document": document_id, "unit": "word"}, screen="corpus", where=where)
    assert not app.exception
    cards = [item for each in components(app, "document_list") if each["label"] == "Answers" for item in each["items"]]
    assert cards and all("kept for" in item["facts"] and "token" in item["facts"] for item in cards)
    assert "Words, answers or tokens" not in [each.label for each in app.segmented_control]


def test_a_document_of_which_nothing_was_kept_says_so(
    open_app: Open, folder: Path, tmp_path: Path, document_id: str
) -> None:
    statements = ["DELETE FROM document_span", "DELETE FROM answer_document"]
    app = open_app({"document": document_id}, screen="corpus", where=changed(folder, tmp_path / "none", statements))
    assert not app.exception
    assert any("kept for no answer" in each.value for each in app.caption)
