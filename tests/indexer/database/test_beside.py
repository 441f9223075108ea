"""Documents of a large corpus lie beside the snapshots, and nobody who reads them can tell."""

import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb
import pytest

from attribution.errors import BadInput, Damaged
from dashboard.database.queries.documents import document_tokens
from indexer.corpus.document import document_id
from indexer.database import beside
from indexer.database.beside import files_beside
from indexer.database.check import check, content_hash
from indexer.database.publish import publish
from indexer.database.reader import Database
from indexer.database.repair import collect, repair
from indexer.database.shard import write_shard
from indexer.database.snapshot_file import snapshots
from indexer.journal.stages import stage
from tests.indexer.database.test_publish import seen, shards


@pytest.fixture(autouse=True)
def large(monkeypatch):
    monkeypatch.setattr(beside, "LARGE", 4)


def kind(folder, table="document"):
    sql = "SELECT table_type FROM information_schema.tables WHERE table_name = ?"
    return Database(folder).current().rows(sql, [table])[0]["table_type"]


def tokens(folder: Path, sizes: Sequence[str] = ("s", "m"), twice: bool = False):
    """Of the documents of `shards`, three tokens each, written alike by two sizes; of one a replacement is stored."""
    ids = sorted(document_id(f"text {i}") for i in range(4))

    def compute(part):
        rows = [(of, t, f"{of} {t}") for of in ids for t in range(3) for _ in range(1 + twice)]
        columns = dict(zip(("document_id", "token_position", "text"), map(list, zip(*rows, strict=True)), strict=True))
        write_shard(part.folder, "document_token", columns | {"tokenizer_id": ["t"] * len(rows)})
        if part.value == "s":
            write_shard(part.folder, "relabel", {"document_id": ids[:1], "token_position": [1], "run_id": ["r"]})

    return stage(folder, "about", str(twice), list(sizes), compute)


def test_tokens_lie_beside_too_where_all_sizes_read_alike(tmp_path, monkeypatch):
    large, small = tmp_path / "large", tmp_path / "small"
    for folder in (large, small):
        folder.mkdir()
    view = publish(large, [*shards(large, 4), *tokens(large)])
    monkeypatch.setattr(beside, "LARGE", 5)
    table = publish(small, [*shards(small, 4), *tokens(small)])
    assert (kind(large, "document_token"), kind(small, "document_token")) == ("VIEW", "BASE TABLE")
    assert content_hash(view) == content_hash(table)
    assert check(large) == []
    ids = [document_id(f"text {i}") for i in range(4)]
    few, all_of = (Database(folder).current() for folder in (large, small))
    said = document_tokens(few, "t", ids)
    assert said == {of: [f"{of} {t}" for t in range(3)] for of in ids} == document_tokens(all_of, "t", ids)
    assert document_tokens(few, "t", ids[:1]) == {ids[0]: said[ids[0]]}
    assert document_tokens(few, "t", []) == document_tokens(few, "other", ids) == {}
    held = "SELECT document_id, texts FROM token_texts ORDER BY document_id"
    assert {row["document_id"]: row["texts"] for row in all_of.rows(held)} == said
    assert few.rows(held) == all_of.rows(held)[:1]


def test_rows_beside_are_looked_at_before_anything_names_them(tmp_path):
    parts = [*shards(tmp_path, 4), *tokens(tmp_path, twice=True)]
    for _ in range(2):
        with pytest.raises(Damaged, match="duplicates in document_token"):
            publish(tmp_path, parts)
        assert not files_beside(tmp_path)
    publish(tmp_path, [*shards(tmp_path, 4), *tokens(tmp_path)])
    assert len(files_beside(tmp_path)) == 2


def test_tokens_that_sizes_read_differently_stay_in_the_database(tmp_path):
    def compute(part):
        ids = [document_id("text 0")]
        columns = {"document_id": ids, "token_position": [0], "text": ["t"], "tokenizer_id": [str(part.value)]}
        write_shard(part.folder, "document_token", columns)

    publish(tmp_path, [*shards(tmp_path, 4), *stage(tmp_path, "about", "1", ["s", "m"], compute)])
    assert (kind(tmp_path), kind(tmp_path, "document_token")) == ("VIEW", "BASE TABLE")


def test_a_view_reads_the_same_rows_as_the_table_of_a_small_corpus(tmp_path, monkeypatch):
    large, small = tmp_path / "large", tmp_path / "small"
    for folder in (large, small):
        folder.mkdir()
    view = publish(large, shards(large, 4))
    monkeypatch.setattr(beside, "LARGE", 5)
    table = publish(small, shards(small, 4))
    assert (kind(large), kind(small)) == ("VIEW", "BASE TABLE")
    rows = "SELECT * FROM document ORDER BY document_id"
    assert Database(large).current().rows(rows) == Database(small).current().rows(rows)
    assert content_hash(view) == content_hash(table)
    assert not files_beside(small)
    assert check(large) == []


def test_a_further_generation_writes_no_text_anew(tmp_path):
    publish(tmp_path, shards(tmp_path, 4), config="a")
    [texts] = files_beside(tmp_path)
    before = texts.stat()
    publish(tmp_path, shards(tmp_path, 4), config="b")
    assert files_beside(tmp_path) == [texts]
    assert (texts.stat().st_ino, texts.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(snapshots(tmp_path)) == 2


def test_where_the_disk_cannot_link_the_documents_are_copied(tmp_path, monkeypatch):
    def refused(*_of):
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refused)
    publish(tmp_path, shards(tmp_path, 4))
    assert seen(Database(tmp_path)) == (4, {"4"})
    [texts] = files_beside(tmp_path)
    assert texts.stat().st_nlink == 1


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_parquet('{other}')",
        "SELECT * FROM read_text('{folder}/CURRENT')",
        "COPY (SELECT 1) TO '{texts}'",
        "SET allowed_paths = ['{other}']",
        "SET file_search_path = '/'",
        "SET enable_external_access = true",
    ],
)
def test_nothing_but_that_file_can_be_read(tmp_path, sql):
    publish(tmp_path, shards(tmp_path, 4))
    [texts] = files_beside(tmp_path)
    other = shutil.copy(texts, tmp_path / "other.parquet")
    before = texts.read_bytes()
    snapshot = Database(tmp_path).current()
    with pytest.raises((duckdb.Error, BadInput, Damaged)):
        snapshot.rows(sql.format(other=other, folder=tmp_path, texts=texts))
    assert texts.read_bytes() == before
    assert snapshot.rows("SELECT count(*) AS n FROM document") == [{"n": 4}]


def test_many_readers_of_a_process_open_it_at_once(tmp_path):
    publish(tmp_path, shards(tmp_path, 4))
    readers = [Database(tmp_path) for _ in range(16)]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(seen, readers)) == [(4, {"4"})] * 16


def test_a_folder_may_be_moved_and_any_client_reads_it_from_there(tmp_path, monkeypatch):
    there, moved = tmp_path / "build", tmp_path / "moved, and 'quoted'"
    there.mkdir()
    name = publish(there, shards(there, 4)).name
    there.rename(moved)
    assert seen(Database(moved)) == (4, {"4"})
    monkeypatch.chdir(moved)
    with duckdb.connect(name, read_only=True) as db:
        assert db.execute("SELECT count(text) FROM document").fetchone() == (4,)


def test_a_folder_that_would_be_a_pattern_holds_its_documents_in_the_database(tmp_path):
    folder = tmp_path / "runs[1]"
    folder.mkdir()
    publish(folder, shards(folder, 4))
    assert kind(folder) == "BASE TABLE"


@pytest.mark.parametrize("how", ["missing", "changed"])
def test_documents_that_are_not_as_they_were_are_told_and_put_there_again(tmp_path, how):
    parts = shards(tmp_path, 4)
    publish(tmp_path, parts)
    [texts] = files_beside(tmp_path)
    whole = texts.read_bytes()
    texts.unlink()
    if how == "changed":
        texts.write_bytes(whole[:-1] + b"?")
    else:
        with pytest.raises(Damaged, match="found no file; run `whence build"):
            Database(tmp_path).current()
    assert [problem.artefact for problem in check(tmp_path)] == [texts.name]
    repair(tmp_path)
    publish(tmp_path, parts)
    assert texts.read_bytes() == whole
    assert check(tmp_path) == []


def test_documents_go_with_the_last_generation_that_reads_them(tmp_path):
    publish(tmp_path, shards(tmp_path, 4))
    publish(tmp_path, shards(tmp_path, 5))
    old, new = sorted(files_beside(tmp_path), key=lambda path: path.stat().st_mtime_ns)
    collect(tmp_path, keep=2)
    assert set(files_beside(tmp_path)) == {old, new}
    assert old in collect(tmp_path, keep=1)
    assert files_beside(tmp_path) == [new]
    assert seen(Database(tmp_path)) == (5, {"5"})
