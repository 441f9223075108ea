"""The drawn database has rows in every table that a page reads, so that no question is timed on an empty one."""

from pathlib import Path

import pytest

from indexer.database.reader import Database, Snapshot
from indexer.database.schema import TABLES, VIEWS
from indexer.database.summaries import SUMMARIES
from tests.benchmarks.large_database import build_large

UNREAD = {"document_group"}  # groups by columns that `document` does not have: pages read their sums


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    folder: Path = tmp_path_factory.mktemp("large")
    build_large(folder, rows=60_000, documents=1_000)
    return Database(folder).current()


def test_no_table_that_a_page_reads_is_empty(snapshot: Snapshot) -> None:
    counts = {
        table: snapshot.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]  # noqa: S608 - names of ours
        for table in (*TABLES, *SUMMARIES, *VIEWS)
    }
    assert {table for table, n in counts.items() if not n} == UNREAD
