"""Orders of Corpus that cleaning goes through: what they list, what they say, and what an older file lacks."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.queries import answers, cleaning
from dashboard.export.files import as_json, csv
from dashboard.screens.corpus.sheet import suspects_sheet
from indexer.database.reader import Snapshot
from tests.dashboard.calibrated import nats
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.dashboard.hostile import build_hostile

Open = Callable[..., AppTest]

ORDERS = {
    "self_influence": """SELECT document_id, self_influence AS amount, -loss AS logp FROM self_influence
        WHERE run_id = $run""",
    "harm": """SELECT document_id, -score AS amount, value AS logp FROM set_influence
        JOIN set_target USING (run_id, name)
        WHERE run_id = $run AND name = 'capitals' AND score < 0""",
    "relabel": """SELECT document_id, max(influences[1]) AS amount, arg_max(logp, influences[1]) AS logp FROM relabel
        JOIN generation_token USING (generation_id, position)
        WHERE run_id = $run AND influences[1] > 0 GROUP BY document_id""",
}


@pytest.fixture(scope="module")
def run_id(snapshot: Snapshot) -> str:
    [row] = snapshot.rows("SELECT run_id FROM run JOIN model USING (model_id) WHERE name = 'synth-m'")
    return row["run_id"]


def items(app: AppTest) -> list[dict]:
    return [item for data in components(app, "document_list") for item in data["items"]]


@pytest.mark.parametrize("block", [1, 3, 7, 1000])
def test_pages_do_not_depend_on_how_many_ids_are_asked_for_at_once(
    snapshot: Snapshot, run_id: str, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = snapshot.rows(f"{ORDERS['self_influence']} ORDER BY amount DESC, document_id", {"run": run_id})
    expected = [row["document_id"] for row in rows]
    monkeypatch.setattr(cleaning, "BLOCK", block)
    for first, k in ((0, 1), (0, 3), (2, 3), (5, 3), (6, 1), (3, 40), (len(rows) - 1, 3), (len(rows), 3)):
        snapshot.memory.forget()
        found = cleaning.ranked(snapshot, run_id, "self_influence", "", "", "", first, k)
        assert found == expected[first : first + k]


@pytest.mark.parametrize("order", ORDERS)
def test_an_order_is_that_of_sql_over_its_pages(open_app: Open, snapshot: Snapshot, run_id: str, order: str) -> None:
    rows = snapshot.rows(f"{ORDERS[order]} ORDER BY amount DESC, document_id", {"run": run_id})  # noqa: S608 (ours)
    assert rows
    found = []
    for page in range(1, -(-len(rows) // 20) + 1):
        app = open_app({"size": "synth-m", "sort": order, "page": str(page)}, screen="corpus")
        assert not app.exception
        assert f"{len(rows)} documents" in words(app)
        found += items(app)
    assert [item["id"] for item in found] == [row["document_id"] for row in rows]
    for item, row in zip(found, rows, strict=True):
        said = float(item["score"].replace("+", "").replace("−", "-"))
        sign = -1 if order == "harm" else 1
        assert said == pytest.approx(nats(sign * row["amount"], row["logp"]), rel=0.01, abs=1e-3)
        assert item["unit"] == "nats"


def test_filters_and_the_other_set(open_app: Open, snapshot: Snapshot, run_id: str) -> None:
    sql = """SELECT document_id FROM set_influence JOIN document USING (document_id)
        WHERE run_id = ? AND name = 'capitals-not-london' AND score < 0 AND source = 'Factbook'
        ORDER BY score, document_id LIMIT 20"""
    app = open_app(
        {"size": "synth-m", "sort": "harm", "set": "capitals-not-london", "source": "Factbook"}, screen="corpus"
    )
    assert [item["id"] for item in items(app)] == [row["document_id"] for row in snapshot.rows(sql, [run_id])]
    app = open_app({"size": "synth-m", "sort": "harm", "source": "none such"}, screen="corpus")
    assert "No document passes." in words(app)


def test_a_card_says_all_that_is_known_and_the_page_says_it_of_one(open_app: Open, run_id: str) -> None:
    first = items(open_app({"size": "synth-m", "sort": "relabel"}, screen="corpus"))[0]
    assert "self-influence" in first["facts"]
    assert "as it is +" in first["facts"]
    assert "→ “Rome”" in first["badges"][0]["text"]
    app = open_app({"size": "synth-m", "sort": "relabel", "document": first["id"]}, screen="corpus")
    assert not app.exception
    said = words(app)
    assert "If one word were another" in [each.value for each in app.subheader]
    assert "on which the document itself has +" in said
    assert "The model gives the other word 30.0 % there." in said


def test_a_search_goes_before_an_order(open_app: Open) -> None:
    app = open_app({"search": "capital of Japan", "sort": "harm"}, screen="corpus")
    assert not app.exception
    assert "Japan" in items(app)[0]["title"]


@pytest.fixture(scope="module")
def without(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Published by an earlier Whence: without these rows, and without the tables of now."""
    tables = ("set_influence", "set_target", "document_relabel")
    gone = ["DELETE FROM self_influence", *(f"DROP TABLE {table}" for table in tables)]
    return changed(folder, tmp_path_factory.mktemp("earlier") / "build", gone)


@pytest.mark.parametrize(
    ("order", "said"),
    [
        ("harm", "No target set was scored for this size"),
        ("relabel", "No replacement is stored"),
        ("self_influence", "Self-influence is not stored"),
    ],
)
def test_what_was_not_computed_is_said(open_app: Open, without: Path, order: str, said: str) -> None:
    app = open_app({"sort": order}, screen="corpus", where=without)
    assert not app.exception
    assert said in words(app)
    assert items(app) == []


def test_what_an_order_was_worth_is_said_where_it_was_tried(open_app: Open, folder: Path, tmp_path: Path) -> None:
    assert "mislabelled" not in words(open_app({"sort": "self_influence"}, screen="corpus"))
    rows = [("self-influence", "mislabelled@10", 0.34), ("self-influence", "mislabelled_auc", 0.71)]
    rows += [("loss", "mislabelled@10", 0.9), ("self-influence", "mislabelled_auc, within its relation", 0.6)]
    where = changed(
        folder,
        tmp_path / "build",
        [
            f"""INSERT INTO evaluation SELECT model_id, '{method}', '{metric}', {value}, '' FROM model
                WHERE name = 'synth-s'"""  # noqa: S608 (ours)
            for method, metric, value in rows
        ],
    )
    app = open_app({"sort": "self_influence", "size": "synth-m"}, screen="corpus", where=where)
    assert "synth-s, trained with mislabelled facts: 34.0 % of them" in words(app)
    assert "in 71.0 % of the cases" in words(app)
    assert "mislabelled" not in words(open_app({"sort": "harm"}, screen="corpus", where=where))


def test_a_sheet_holds_the_whole_order(snapshot: Snapshot, run_id: str) -> None:
    [model] = [each for each in answers.models(snapshot) if each.name == "synth-m"]
    for order, query in ORDERS.items():
        rows = snapshot.rows(f"{query} ORDER BY amount DESC, document_id", {"run": run_id})  # noqa: S608 (ours)
        sheet = suspects_sheet(snapshot, run_id, model, "capitals", Selection(order=order, page=2))
        table = sheet.table()
        assert list(table["document_id"]) == [row["document_id"] for row in rows]
        assert list(table["rank"]) == list(range(1, len(rows) + 1))
        sign = -1 if order == "harm" else 1
        column = {"self_influence": "self_influence_raw", "harm": "harm_raw", "relabel": "gain_raw"}[order]
        assert list(sign * table[column]) == pytest.approx([row["amount"] for row in rows])
        assert sheet.address["sort"] == order
        assert csv(sheet).startswith(b"rank,document_id,")
        assert b"NaN" not in as_json(sheet)


@pytest.mark.parametrize("order", ORDERS)
def test_hostile_words_are_shown_literally(open_app: Open, tmp_path: Path, order: str) -> None:
    build_hostile(tmp_path)
    app = open_app({"sort": order}, screen="corpus", where=tmp_path)
    assert not app.exception
    assert items(app)
    for element in [*app.markdown, *app.caption, *app.subheader]:
        assert "<script" not in element.value and "evil.invalid" not in element.value
