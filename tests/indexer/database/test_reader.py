"""The reader is hardened: nothing leaves or enters but bound values, and nothing takes for ever."""

import gc
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pandas
import pytest

from attribution.errors import BadInput, TryAgain
from indexer.database.reader import Database
from indexer.database.snapshot_file import snapshots
from tests.indexer.small_build import build
from tests.synthetic_database import build_synthetic

CLOSED, LOCKED = "disabled by configuration", "configuration has been locked"
SLOW = "SELECT count(*) FROM range(10000000) AS a, range(1000000) AS b WHERE a.range + b.range = 3"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("synthetic")
    build_synthetic(made)
    return made


@pytest.fixture(scope="module")
def snapshot(folder):
    return Database(folder, seconds=0.5).current()


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """A folder with files that DuckDB can read."""
    made = tmp_path_factory.mktemp("outside")
    (made / "secret.csv").write_text("a,b\n1,2\n")
    with duckdb.connect(str(made / "other.duckdb")) as db:
        db.execute("CREATE TABLE secret (a INTEGER)")
    return made


@pytest.mark.parametrize(
    ("sql", "refusal"),
    [
        ("SELECT * FROM read_csv('{outside}/secret.csv')", CLOSED),
        ("SELECT * FROM '{outside}/secret.csv'", CLOSED),
        ("SELECT * FROM read_text('{outside}/secret.csv')", CLOSED),
        ("ATTACH '{outside}/other.duckdb' (READ_ONLY)", CLOSED),
        ("COPY document TO '{outside}/stolen.csv'", CLOSED),
        ("EXPORT DATABASE '{outside}/stolen'", CLOSED),
        ("INSTALL httpfs", CLOSED),
        ("LOAD httpfs", "disabled through configuration"),
        ("SET enable_external_access = true", LOCKED),
        ("SET memory_limit = '100GB'", LOCKED),
        ("SET max_execution_time = 0", LOCKED),
        ("PRAGMA threads = 64", LOCKED),
        ("RESET lock_configuration", LOCKED),
        ("CREATE TABLE t (a INTEGER)", "read-only mode"),
        ("DELETE FROM document", "read-only mode"),
        ("DROP TABLE document", "read-only mode"),
        ("SELECT * FROM secret_of_this_process", "secret_of_this_process does not exist"),
    ],
)
def test_what_is_not_reading_this_database_is_refused(snapshot, outside, sql, refusal):
    secret_of_this_process = pandas.DataFrame({"a": [1]})
    assert len(secret_of_this_process) == 1
    before = snapshot.rows("SELECT count(*) AS n FROM document")
    with pytest.raises((duckdb.Error, BadInput), match=refusal):
        snapshot.query(sql.format(outside=outside))
    assert snapshot.rows("SELECT count(*) AS n FROM document") == before
    assert {file.name for file in outside.iterdir()} == {"secret.csv", "other.duckdb"}


def test_a_query_that_takes_too_long_is_interrupted_with_a_message_and_the_next_is_answered(snapshot):
    begun = time.monotonic()
    with pytest.raises(TryAgain, match=r"an answer within 0\.5 s"):
        snapshot.query(SLOW)
    assert time.monotonic() - begun < 5
    assert snapshot.rows("SELECT 1 AS one") == [{"one": 1}]


def test_a_query_that_needs_too_much_memory_is_refused(tmp_path):
    build(tmp_path)
    small = Database(tmp_path, memory="20MB", seconds=20).current()
    with pytest.raises(TryAgain, match="within the memory limit"):
        small.query("SELECT list(range ORDER BY hash(range)) FROM range(20000000)")
    assert list(tmp_path.glob("*.tmp")) == []


@pytest.mark.parametrize(
    "value", ["'; DROP TABLE document; --", '" OR 1=1', "%", "_", "\\", "$$", "?", "{}", "a\nb", "𝔘", "x" * 100_000]
)
def test_sql_metacharacters_are_data(snapshot, value):
    assert snapshot.rows("SELECT ? AS value", [value]) == [{"value": value}]
    assert snapshot.rows("SELECT $v AS value", {"v": value}) == [{"value": value}]
    assert snapshot.rows("SELECT 1 FROM document WHERE text = ?", [value]) == []
    assert snapshot.rows("SELECT 1 FROM document WHERE contains(text, ?)", ["zzz" + value]) == []


@pytest.mark.parametrize("pattern", ["(", "[", "*", "a{1,99999}", "(?<=a)b", "\\", "(?P<n", "\\1"])
def test_a_bad_regular_expression_is_the_users_mistake(snapshot, pattern):
    with pytest.raises(BadInput, match="refused a value"):
        snapshot.query("SELECT 1 FROM document WHERE regexp_matches(text, ?)", [pattern])


def test_a_hostile_regular_expression_ends(snapshot):
    begun = time.monotonic()
    snapshot.query("SELECT regexp_matches(repeat('a', 5000) || '!', ?)", ["(a+)+(a|aa)+$"])
    assert time.monotonic() - begun < 2


def test_a_hundred_threads_share_one_snapshot(snapshot):
    def ask(i):
        return snapshot.rows("SELECT count(*) AS n, ? AS i FROM influence WHERE rank <= ?", [i, 3])[0]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(ask, range(100)))
    assert [answer["i"] for answer in answers] == list(range(100))
    assert len({answer["n"] for answer in answers}) == 1


def test_a_snapshot_that_nobody_holds_is_closed(tmp_path):
    build(tmp_path)
    path = snapshots(tmp_path)[0][1]
    database = Database(tmp_path)
    database.current().query("SELECT 1")
    database.close()
    gc.collect()
    open_files = [link.readlink().name for link in Path("/proc/self/fd").iterdir() if link.exists()]
    assert path.name not in open_files


def test_many_threads_may_ask_for_the_current_one_at_once(folder):
    database = Database(folder, seconds=0.5)
    found = []
    threads = [threading.Thread(target=lambda: found.append(database.current())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and all(each is found[0] for each in found)


def test_reading_needs_no_torch():
    code = "import sys, indexer.database.reader, indexer.search.text_index; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
