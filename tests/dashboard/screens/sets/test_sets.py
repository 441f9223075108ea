"""Sets on the synthetic database: what the page shows is what the tables hold."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.connection import FOLDER_VARIABLE
from dashboard.database.queries import sets
from dashboard.export.files import as_json, csv
from dashboard.screens.sets.sheet import sets_sheet
from dashboard.screens.sets.view import SHOWN, of_set, view
from indexer.database.reader import Snapshot
from tests.dashboard.calibrated import SLOPE, percent
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]
TABLES = ("set_text", "set_target", "set_influence", "set_curve", "set_group")
ORDERS = {
    "towards": "score > 0 ORDER BY score DESC",
    "away": "score < 0 ORDER BY score",
    "both": "true ORDER BY abs(score) DESC",
}


def run_of(snapshot: Snapshot, size: str) -> str:
    sql = "SELECT run_id FROM run JOIN model USING (model_id) WHERE name = ?"
    run_id: str = snapshot.rows(sql, [size])[0]["run_id"]
    return run_id


def cards(app: AppTest) -> list[dict[str, object]]:
    [found] = [each for each in components(app, "document_list") if each["label"].startswith("Training documents")]
    return list(found["items"])


@pytest.mark.parametrize("side", ORDERS)
def test_documents_equal_sql(open_app: Open, snapshot: Snapshot, side: str) -> None:
    where = {"set": "capitals-not-london", "size": "synth-m", "side": side}
    rows = snapshot.rows(
        f"SELECT * FROM set_influence WHERE run_id = ? AND name = ? AND {ORDERS[side]}, document_id",  # noqa: S608
        [run_of(snapshot, "synth-m"), "capitals-not-london"],
    )
    assert len(rows) > SHOWN
    shown = []
    for page in range(1, -(-len(rows) // SHOWN) + 1):
        app = open_app(where | {"page": str(page)}, screen="sets")
        assert not app.exception
        shown += cards(app)
    assert [each["id"] for each in shown] == [row["document_id"] for row in rows]
    for card, row in zip(shown, rows, strict=True):
        # capitals less London: a difference of log-probabilities, which has no end
        assert float(str(card["score"]).replace("−", "-")) == pytest.approx(SLOPE * row["score"], abs=5e-4)
        assert card["unit"] == "nats"
        assert f"rank {row['rank']} of 60" in str(card["facts"])


def test_a_page_beyond_the_last_is_the_last(open_app: Open) -> None:
    last = cards(open_app({"page": "2"}, screen="sets"))
    assert last and cards(open_app({"page": "99"}, screen="sets")) == last


def test_groups_equal_sql_by_every_column(open_app: Open, snapshot: Snapshot) -> None:
    every = [
        row["score"]
        for row in snapshot.rows(
            "SELECT score FROM set_group WHERE run_id = ? AND name = 'capitals' AND column_name <> ''",
            [run_of(snapshot, "synth-s")],
        )
    ]
    for column in ("source", "topic"):
        app = open_app({"by": column, "size": "synth-s"}, screen="sets")
        rows = snapshot.rows(
            """SELECT value, score, error, n_documents FROM set_group
            JOIN corpus_group USING (corpus, column_name, value)
            WHERE run_id = ? AND name = 'capitals' AND column_name = ? ORDER BY score DESC""",
            [run_of(snapshot, "synth-s"), column],
        )
        [bars] = [each for each in components(app, "bar_list") if "whole groups" in each["label"]]
        assert [bar["name"] for bar in bars["bars"]] == [row["value"] for row in rows]
        for bar, row in zip(bars["bars"], rows, strict=True):
            assert bar["amount"] == pytest.approx(percent(row["score"], every))
            assert f"{row['n_documents']} documents" in bar["said"]
            assert ("±" in bar["said"]) == (row["error"] is not None)
    [whole] = snapshot.rows(
        "SELECT score FROM set_group WHERE run_id = ? AND name = 'capitals' AND column_name = ''",
        [run_of(snapshot, "synth-s")],
    )
    way = "towards" if whole["score"] > 0 else "away from"
    assert f"All documents together: they push {way} it. It would be zero" in words(app)


def test_what_the_size_makes_of_the_set_and_what_it_rests_on(open_app: Open, snapshot: Snapshot) -> None:
    said = words(open_app({"size": "synth-s"}, screen="sets"))
    [row] = snapshot.rows(
        "SELECT * FROM set_target WHERE name = 'capitals' AND run_id = ?", [run_of(snapshot, "synth-s")]
    )
    assert f"mean log p of a token −{-row['value']:.3f} nats, a probability of" in said
    assert f"the {row['n_scored']} at both ends were scored exactly" in said
    assert "rank correlation of 0.970" in said
    assert "whence select CONFIG --target capitals --keep 10%" in said
    assert "less that of London.jsonl" in words(open_app({"set": "capitals-not-london"}, screen="sets"))


def test_the_sizes_are_joined_by_their_best_documents(open_app: Open, snapshot: Snapshot) -> None:
    [table] = components(open_app(screen="sets"), "join_table")
    best = {
        size: [
            row["document_id"]
            for row in snapshot.rows(
                "SELECT document_id FROM set_influence WHERE name = 'capitals' AND run_id = ? ORDER BY rank LIMIT 10",
                [run_of(snapshot, size)],
            )
        ]
        for size in table["sizes"]
    }
    assert table["sizes"] == ["synth-s", "synth-m", "synth-l"]
    assert len({row["id"] for row in table["rows"]}) >= 10
    for row in table["rows"]:
        for size, cell in zip(table["sizes"], row["cells"], strict=True):
            assert cell.get("rank") == (best[size].index(row["id"]) + 1 if row["id"] in best[size] else None)
    shared = set.intersection(*map(set, best.values()))
    assert shared and shared <= {row["id"] for row in table["rows"]}


def test_a_chosen_document_has_its_layers(open_app: Open) -> None:
    first = cards(open_app(screen="sets"))[0]
    app = open_app({"document": str(first["id"])}, screen="sets")
    [bars] = [each for each in components(app, "bar_list") if "by layer" in each["label"]]
    assert sum(bar["amount"] for bar in bars["bars"]) == pytest.approx(float(str(first["score"])), abs=5e-4)


@pytest.mark.parametrize(
    ("query", "said"),
    [({"set": "no such <b>"}, "No target set no such <b>"), ({"size": "giant"}, "giant has no numbers of capitals")],
)
def test_what_nobody_knows_gets_a_friendly_line(open_app: Open, query: dict[str, str], said: str) -> None:
    app = open_app(query, screen="sets")
    assert not app.exception
    assert said in words(app) and cards(app)


def test_a_database_of_before_says_how_to_get_sets(open_app: Open, folder: Path, tmp_path: Path) -> None:
    where = changed(folder, tmp_path / "before", [f"DROP TABLE {table}" for table in TABLES])
    app = open_app(screen="sets", where=where)
    assert not app.exception
    assert "[[targets]]" in words(app) and components(app, "copy_link")
    assert not components(app, "document_list")


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["DELETE FROM set_influence"], "No document that was scored exactly pushes this way."),
        (["UPDATE set_curve SET estimate = -1, total = -place"], "No document is estimated to help this set."),
        (["DELETE FROM set_group"], "Whole groups are not computed in this database"),
        (["DELETE FROM set_text"], "The texts are not in this database."),
        (["DELETE FROM layer"], "scored exactly"),
        (
            ["UPDATE set_target SET null_scores = NULL, rank_correlation = NULL, estimate_error = NULL"],
            "scored exactly",
        ),
    ],
)
def test_what_is_lacking_is_said(
    open_app: Open, folder: Path, tmp_path: Path, statements: list[str], said: str
) -> None:
    app = open_app(screen="sets", where=changed(folder, tmp_path / "lacking", statements))
    assert not app.exception
    assert said in " ".join([words(app), *(each.value for each in app.caption)])


def test_the_sheet_has_every_document_and_all_texts(
    snapshot: Snapshot, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    chosen = Selection(target_set="capitals", size="synth-l", tail="away")
    found = view(snapshot, of_set(sets.set_targets(snapshot), "capitals"), chosen)
    sheet = sets_sheet(snapshot, found, chosen)
    rows = snapshot.rows(
        "SELECT rank, document_id, score FROM set_influence WHERE name = 'capitals' AND run_id = ? ORDER BY rank",
        [run_of(snapshot, "synth-l")],
    )
    frame = sheet.table()
    assert frame["document_id"].tolist() == [row["document_id"] for row in rows]
    assert frame["rank"].tolist() == [row["rank"] for row in rows]
    assert len(sheet.about["prompts"]) == 7 and sheet.address == {"set": "capitals", "size": "synth-l", "side": "away"}
    assert csv(sheet) and as_json(sheet)
