"""Readers see whole generations only, whatever happens to the publisher and to the files."""

import json
import multiprocessing
import os
import random
import signal
import struct
import time
from pathlib import Path

import duckdb
import pytest

from attribution.errors import BadInput, Damaged, WhenceError
from indexer.corpus.document import document_id
from indexer.database import publish as publishing
from indexer.database import statements
from indexer.database.publish import publish
from indexer.database.reader import Database
from indexer.database.schema import SCHEMA_VERSION, TABLES, VIEWS
from indexer.database.shard import write_shard
from indexer.database.snapshot_file import read_current, snapshots
from indexer.database.summaries import SUMMARIES
from indexer.journal.lock import lock
from indexer.journal.stages import stage


def shards(folder: Path, n: int):
    """n documents whose source is n, so that a mixture of two generations would be seen."""

    def compute(part):
        texts = [f"text {i}" for i in range(n)]
        ids = [document_id(text) for text in texts]
        write_shard(part.folder, "document", {"document_id": ids, "text": texts, "source": [str(n)] * n})

    return stage(folder, "documents", str(n), ["all"], compute)


def seen(database: Database) -> tuple[int, set[str]]:
    rows = database.current().rows("SELECT source FROM document")
    return len(rows), {row["source"] for row in rows}


def test_a_published_database_opens_in_any_client_with_all_tables_and_views(tmp_path):
    path = publish(tmp_path, shards(tmp_path, 3), config="[corpus]")
    assert struct.unpack("<Q", path.read_bytes()[12:20]) == (67,)  # readable since v1.4.0
    with duckdb.connect(str(path), read_only=True) as db:
        names = {row[0] for row in db.execute("SELECT table_name FROM information_schema.tables").fetchall()}
        assert names == {*TABLES, *SUMMARIES, *VIEWS}
        assert db.execute("SELECT schema_version, config FROM meta").fetchone() == (SCHEMA_VERSION, "[corpus]")
    about = json.loads((tmp_path / "CURRENT").read_text())
    assert about["database"] == path.name
    assert not list(tmp_path.glob("*.wal"))


def test_readers_see_each_generation_from_its_pointer_on_and_the_old_one_until_then(tmp_path, monkeypatch):
    publish(tmp_path, shards(tmp_path, 3))
    database, during = Database(tmp_path), []
    monkeypatch.setattr(publishing, "fault", lambda point: during.append(seen(database)))
    old = database.current()
    publish(tmp_path, shards(tmp_path, 4))
    assert during == [(3, {"3"})] * len(during)
    assert len(during) >= 6
    assert seen(database) == (4, {"4"})
    assert old.rows("SELECT count(*) AS n FROM document") == [{"n": 3}]  # a page that began with it ends with it
    assert database.current() is database.current()


def test_nothing_is_written_when_nothing_changed_and_the_middle_of_a_build_never_shows_less(tmp_path):
    few, many = shards(tmp_path, 3), stage(tmp_path, "more", "1", ["a"], lambda part: None)
    path = publish(tmp_path, [*few, *many])
    assert publish(tmp_path, [*few, *many]) == path
    assert publish(tmp_path, few, complete=False) == path
    assert publish(tmp_path, few, config="changed") != path
    path.unlink()
    assert publish(tmp_path, few).exists()


def test_a_part_changed_since_the_journal_is_not_published(tmp_path):
    publish(tmp_path, shards(tmp_path, 3))
    parts = shards(tmp_path, 4)
    shard = parts[0].folder / "document.parquet"
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    with pytest.raises(Damaged, match=r"document\.parquet as the journal lists it, found other bytes"):
        publish(tmp_path, parts)
    assert seen(Database(tmp_path)) == (3, {"3"})


def test_rows_that_disagree_are_not_published(tmp_path):
    def orphan(part):
        write_shard(part.folder, "influence", {"run_id": ["r"], "generation_id": ["g"], "document_id": ["d"]})

    publish(tmp_path, shards(tmp_path, 3))
    with pytest.raises(Damaged, match=r"influence\.run_id not in run \(1 rows\)"):
        publish(tmp_path, [*shards(tmp_path, 3), *stage(tmp_path, "bad", "1", ["a"], orphan)])
    assert seen(Database(tmp_path)) == (3, {"3"})
    assert not list(tmp_path.glob("*.partial*"))


def test_rows_that_several_parts_write_are_kept_once_and_the_last_wins(tmp_path):
    def compute(part):
        write_shard(part.folder, "model", {"model_id": ["m"], "name": [str(part.value)]})

    publish(tmp_path, stage(tmp_path, "models", "1", ["b", "a"], compute))
    assert Database(tmp_path).current().rows("SELECT name FROM model") == [{"name": "a"}]


@pytest.mark.parametrize("damage", ["missing", "truncated", "garbage", "empty", "stale log", "CURRENT", "no CURRENT"])
def test_the_last_whole_generation_is_shown_with_a_notice(tmp_path, damage):
    publish(tmp_path, shards(tmp_path, 3))
    path = publish(tmp_path, shards(tmp_path, 4))
    size, good = path.stat().st_size, 3
    if damage == "missing":
        path.unlink()
    elif damage == "truncated":
        os.truncate(path, size // 2)
    elif damage == "garbage":
        path.write_bytes(random.Random(0).randbytes(size))
    elif damage == "empty":
        path.write_bytes(b"")
    elif damage == "stale log":
        path.with_name(path.name + ".wal").write_bytes(b"\x00" * 100)
    else:
        (tmp_path / "CURRENT").write_text('{"database": ')
        good = 4
    if damage == "no CURRENT":
        (tmp_path / "CURRENT").unlink()
    database = Database(tmp_path)
    assert seen(database) == (good, {str(good)})
    assert f"showing generation {good - 2} instead" in database.current().notice
    publish(tmp_path, shards(tmp_path, 5))
    assert seen(database) == (5, {"5"})
    assert database.current().notice == ""


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff", b'{"database": "../../x"}', b"[" * 10_000])
def test_a_garbage_pointer_alone_is_a_clear_error(tmp_path, content):
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(Damaged, match="CURRENT is missing or unreadable; run `whence build"):
        Database(tmp_path).current()


def test_nothing_published_says_how_to_build(tmp_path):
    with pytest.raises(BadInput, match="found none published yet; run `whence build CONFIG`"):
        Database(tmp_path / "nowhere").current()


def test_the_only_generation_damaged_is_a_clear_error(tmp_path):
    path = publish(tmp_path, shards(tmp_path, 3))
    os.truncate(path, 5000)
    with pytest.raises(Damaged, match="5,000 bytes instead of"):
        Database(tmp_path).current()


def test_a_database_that_an_earlier_whence_published_is_refused_and_the_way_on_is_named(tmp_path, monkeypatch):
    fewer = {name: query for name, query in SUMMARIES.items() if name not in ("token_texts", "helped_answer")}
    monkeypatch.setattr(statements, "SUMMARIES", fewer)
    monkeypatch.setattr("indexer.database.publish.broken_invariants", lambda *_: [])
    publish(tmp_path, shards(tmp_path, 3))
    monkeypatch.undo()
    with pytest.raises(BadInput, match=r"without helped_answer, token_texts; run `whence build CONFIG`"):
        Database(tmp_path).current()


def test_another_schema_version_is_refused_with_both_named(tmp_path, monkeypatch):
    monkeypatch.setattr(statements, "SCHEMA_VERSION", 99)
    publish(tmp_path, shards(tmp_path, 3))
    with pytest.raises(BadInput, match=f"schema version {SCHEMA_VERSION}, found version 99"):
        Database(tmp_path).current()


def test_another_storage_version_is_refused_with_both_named(tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "STORAGE_VERSION", "latest")
    publish(tmp_path, shards(tmp_path, 3))
    with pytest.raises(BadInput, match=r"storage v1\.4\.0, found .* with storage version 999"):
        Database(tmp_path).current()


def test_a_name_is_never_used_twice(tmp_path):
    names = {publish(tmp_path, shards(tmp_path, n)).name for n in (3, 4, 3, 4)}
    assert len(names) == 4
    for _, path in snapshots(tmp_path)[:2]:
        path.unlink()
    assert publish(tmp_path, shards(tmp_path, 5)).name not in names


def _publish_for_ever(folder: Path) -> None:
    n = 3
    while True:
        with lock(folder):
            n = n % 60 + 3
            publish(folder, shards(folder, n), config=str(time.time()))


def _read_for_ever(folder: Path, seconds: float, sender) -> None:
    database, reads, generations = Database(folder), 0, set()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            n, sources = seen(database)
        except WhenceError as error:
            sender.send(f"after {reads} reads: {error}")
            return
        if {str(n)} != sources or database.current().notice:
            sender.send(f"a mixture: {n} rows of {sources}, {database.current().notice}")
            return
        reads += 1
        generations.add(database.current().generation)
    sender.send((reads, len(generations)))


@pytest.mark.parametrize("seconds", [4, pytest.param(60, marks=pytest.mark.slow)])
def test_publishers_killed_at_random_under_two_reading_loops(tmp_path, seconds):
    publish(tmp_path, shards(tmp_path, 3))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.indexer.small_build"])
    pipes = [context.Pipe(duplex=False) for _ in range(2)]
    readers = [context.Process(target=_read_for_ever, args=(tmp_path, seconds, sender)) for _, sender in pipes]
    for reader in readers:
        reader.start()
    rng, killed = random.Random(1), 0
    while any(reader.is_alive() for reader in readers):
        publisher = context.Process(target=_publish_for_ever, args=(tmp_path,))
        publisher.start()
        time.sleep(rng.uniform(0.2, 1.2))
        publisher.kill()
        publisher.join()
        assert publisher.exitcode == -signal.SIGKILL
        killed += 1
    outcomes = [receiver.recv() for receiver, _ in pipes]
    assert all(isinstance(outcome, tuple) and outcome[0] > 10 for outcome in outcomes), outcomes
    assert killed > 1
    current = read_current(tmp_path)
    assert current is not None
