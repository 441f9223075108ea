"""Every invariant is broken once, on purpose, and named."""

import shutil

import duckdb
import pytest

from attribution.errors import BadInput
from indexer.database.check import check, content_hash
from indexer.database.invariants import broken_invariants
from indexer.database.repair import collect
from indexer.database.snapshot_file import snapshots
from tests.indexer.small_build import build
from tests.synthetic_database import build_synthetic


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return build_synthetic(tmp_path_factory.mktemp("synthetic"))


@pytest.fixture
def writable(published, tmp_path):
    shutil.copy(published, tmp_path / "copy.duckdb")
    with duckdb.connect(str(tmp_path / "copy.duckdb")) as db:
        yield db


def test_a_published_database_is_whole(published):
    assert check(published.parent) == []


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("DROP VIEW influence_token", "no view influence_token"),
        ("ALTER TABLE model DROP COLUMN family", "no column family in model"),
        ("INSERT INTO influence FROM influence LIMIT 3", "duplicates in influence (3 rows)"),
        ("INSERT INTO document FROM document LIMIT 1", "duplicates in document (1 rows)"),
        ("DELETE FROM document WHERE title = 'Peru: capital'", "influence.document_id not in document (2 rows)"),
        ("DELETE FROM generation WHERE rowid = 0", "generation_token.generation_id not in generation (1 rows)"),
        ("UPDATE document SET text = text || '!' WHERE rowid = 5", "whose id is not the hash of what they are made of"),
        ("UPDATE document SET turns = '[]' WHERE rowid = 5", "whose id is not the hash of what they are made of"),
        ("UPDATE influence SET score = score * 1.001 WHERE rank = 1", "that do not add up to the score"),
        ("UPDATE influence SET layer_scores = layer_scores[:3] WHERE rowid = 0", "another length than the model's"),
        ("DELETE FROM influence WHERE rank = 1 AND position = 1", "ranks out of order (30 rows)"),
        ("UPDATE influence SET rank = rank + 1 WHERE rank > 15", "ranks out of order"),
        ("UPDATE influence SET rank = 3 WHERE rank = 2", "ranks out of order"),
        ("UPDATE influence SET score = -score, layer_scores = [-x for x in layer_scores]", "ranks out of order"),
        ("UPDATE influence SET score = 'nan' WHERE rowid = 0", "scores that are not finite (1 rows)"),
        ("UPDATE influence_position SET shares = shares[:2] WHERE rowid = 0", "another length than the document's"),
        ("UPDATE generation_token SET bits_full = bits_full + 0.001 WHERE rowid = 0", "bits that do not add up"),
    ],
)
def test_each_broken_invariant_is_named(writable, change, named):
    assert broken_invariants(writable) == []
    writable.execute(change)
    assert any(named in broken for broken in broken_invariants(writable)), broken_invariants(writable)


def test_a_file_from_before_a_column_is_whole(writable):
    writable.execute("DROP VIEW IF EXISTS influence_token")
    writable.execute("ALTER TABLE document DROP COLUMN turns")
    assert broken_invariants(writable) == ["no view influence_token"]


def test_layer_scores_add_up_in_every_row(published):
    with duckdb.connect(str(published), read_only=True) as db:
        worst = db.execute("SELECT max(abs(list_sum(layer_scores) - score) / abs(score)) FROM influence").fetchone()
    assert worst is not None
    assert worst[0] < 1e-4


def test_the_views_say_what_their_tables_do(published):
    with duckdb.connect(str(published), read_only=True) as db:
        sums = db.execute(
            """SELECT max(abs(total - score)) FROM (SELECT run_id, generation_id, position, document_id,
               sum(score) AS total FROM influence_layer GROUP BY ALL)
               JOIN influence USING (run_id, generation_id, position, document_id)"""
        ).fetchone()
        shares = db.execute(
            """SELECT max(abs(total - score)), count(*) FROM (SELECT run_id, generation_id, position, document_id,
               sum(share) AS total FROM influence_token GROUP BY ALL)
               JOIN influence USING (run_id, generation_id, position, document_id)"""
        ).fetchone()
        n_heated = db.execute("SELECT count(*) FROM influence_position").fetchone()
    assert sums is not None and shares is not None and n_heated is not None
    assert sums[0] < 1e-5
    assert shares[0] < 1e-4
    assert shares[1] == n_heated[0]


def test_the_content_hash_is_of_the_rows_and_not_of_the_moment(tmp_path):
    for folder, seed in [("one", 0), ("two", 0), ("three", 1)]:
        build(tmp_path / folder, seed=seed)
    one, two, three = (snapshots(tmp_path / folder)[0][1] for folder in ("one", "two", "three"))
    assert one.read_bytes() != two.read_bytes()
    assert content_hash(one) == content_hash(two) != content_hash(three)


def test_collect_keeps_the_newest_and_what_the_journal_lists(tmp_path):
    for seed in range(2):
        build(tmp_path, seed=seed)  # each publishes twice
    (tmp_path / "parts" / "scores" / "old-0123456789abcdef").mkdir()
    (tmp_path / "snapshot-1.duckdb.partial.wal").touch()
    removed = collect(tmp_path, keep=2)
    assert sorted(path.name.split("-")[0] for path in removed) == ["old", "snap", "snap", "snapshot"]
    assert [generation for generation, _ in snapshots(tmp_path)] == [4, 3]
    assert check(tmp_path) == []


def test_a_folder_that_is_no_build_is_the_users_mistake(tmp_path):
    with pytest.raises(BadInput, match="found nothing of a build"):
        check(tmp_path)
