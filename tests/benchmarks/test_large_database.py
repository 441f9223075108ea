"""The drawn database has rows in every table that a page reads, so that no question is timed on an empty one."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.connection import FOLDER_VARIABLE
from indexer.database.reader import Database, Snapshot
from indexer.database.schema import TABLES, VIEWS
from indexer.database.summaries import SUMMARIES
from tests.benchmarks.large_database import build_large

UNREAD = {"document_group"}  # groups by columns that `document` does not have: pages read their sums


APP = Path(__file__).parents[2] / "dashboard" / "app.py"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("large")
    build_large(path, rows=60_000, documents=1_000)
    return path


@pytest.fixture(scope="module")
def snapshot(folder: Path) -> Snapshot:
    return Database(folder).current()


def test_no_table_that_a_page_reads_is_empty(snapshot: Snapshot) -> None:
    counts = {
        table: snapshot.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]  # noqa: S608 - names of ours
        for table in (*TABLES, *SUMMARIES, *VIEWS)
    }
    assert {table for table, n in counts.items() if not n} == UNREAD


def test_its_documents_lie_in_their_order(snapshot: Snapshot) -> None:
    """As those of a build: what is asked by id passes over whole blocks of rows."""
    ids = [row["document_id"] for row in snapshot.rows("SELECT document_id FROM document ORDER BY rowid")]
    assert ids == sorted(ids)


@pytest.mark.parametrize("screen", ["explain", "compare", "inside", "sets", "runs", "tokens", "corpus", "about"])
def test_every_page_opens_on_it(screen: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(folder))
    app = AppTest.from_file(str(APP), default_timeout=120)
    app.session_state["screen that a click led to"] = screen
    assert not app.run().exception
