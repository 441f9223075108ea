"""Results in an object store: the same database, whatever put fails, and one driver that publishes."""

import json
import logging
import shutil
from pathlib import Path

import pytest

from attribution.errors import BadInput, Damaged, Locked
from indexer.__main__ import main
from indexer.database import beside
from indexer.database.check import check
from indexer.database.publish import publish
from indexer.database.snapshot_file import read_current
from indexer.engines import bring, hand_out, lease
from indexer.engines.object_store import ObjectStore, Unmet
from indexer.engines.order import Lost, Spoiled
from indexer.journal.stages import finished, is_whole, stage
from tests.indexer.database.test_publish import shards
from tests.indexer.engines.nodes import CUT, InProcess, published

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
for needed in ("s3fs", "moto.server"):
    pytest.importorskip(needed)

from tests.indexer.engines.object_server import Server, object_server  # noqa: E402

ADDRESS = "s3://made-up/project"
STORAGE = f'storage = "{ADDRESS}"\n'


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch, tmp_path):
    monkeypatch.setattr(hand_out, "POLL", 0.0)
    monkeypatch.setattr(lease, "PATIENCE", 0.0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))  # where nodes have their caches
    logging.getLogger("werkzeug").setLevel(logging.ERROR)


@pytest.fixture
def server(monkeypatch) -> Server:
    import s3fs

    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")  # no pauses between the client's own retries
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 1)
    with object_server(monkeypatch) as found:
        s3fs.S3FileSystem(skip_instance_cache=True).mkdir("made-up")
        yield found


def test_a_failing_put_and_a_lost_folder_change_no_row(alone, unbuilt, away, server, tmp_path, capsys):
    """Two parts of the corpus pass are not put; then the driver's folder is gone: what nodes left is there."""

    def failing(order):
        if order.stage == "corpus-m" and not server.failed:
            server.failing = 2

    engine = InProcess(failing)
    assert away(unbuilt, engine, STORAGE) == 0
    assert server.failed == 2
    folder = unbuilt.parent / "build"
    assert published(folder) == alone[1]
    assert check(folder) == []
    assert len([order for order in engine.orders if order.stage == "corpus-m"]) == 3 + 2

    current = json.loads(ObjectStore(ADDRESS).read("CURRENT")[0])
    assert current["database"] == read_current(folder).database
    capsys.readouterr()
    assert main(["bring", str(tmp_path / "reader"), ADDRESS]) == 0
    assert published(tmp_path / "reader") == alone[1]

    shutil.rmtree(folder)
    again = InProcess()
    assert away(unbuilt, again, STORAGE) == 0
    assert again.orders == []
    assert published(folder) == alone[1]


def test_a_put_that_always_fails_ends_in_one_line(unbuilt, away, server, capsys):
    def failing(order):
        server.failing = 10_000

    assert away(unbuilt, InProcess(failing), STORAGE + "retries = 0\n") == 75
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("whence:")]
    assert len(said) == 1
    assert "found it lost 1 times" in said[0]
    assert f"expected {ADDRESS} to answer" in said[0]


def test_a_store_without_conditional_put_is_refused(unbuilt, away, server, capsys):
    server.ignores_conditions = True
    assert away(unbuilt, InProcess(), STORAGE) == 2
    said = capsys.readouterr().err
    assert "puts an object only when nobody else has (If-None-Match, If-Match), found one that ignores it" in said
    assert not ObjectStore(ADDRESS).read("CURRENT")[0]


def test_a_bucket_that_is_not_there(unbuilt, away, server, capsys):
    assert away(unbuilt, InProcess(), 'storage = "s3://nowhere/project"\n') == 2
    assert "see that the bucket is there" in capsys.readouterr().err


def test_current_is_put_in_the_place_of_what_was_read_and_of_nothing_else(server, tmp_path):
    store = ObjectStore(ADDRESS)
    assert store.read("CURRENT") == (b"", None)
    first = store.put("CURRENT", b"one", None)
    with pytest.raises(Unmet):
        store.put("CURRENT", b"two", None)
    second = store.put("CURRENT", b"two", first)
    with pytest.raises(Unmet):
        store.put("CURRENT", b"three", first)
    assert store.read("CURRENT") == (b"two", second)


def test_two_drivers_on_one_store(server):
    """A lease that goes on changing is held; one that does not is taken over, whatever any clock says."""
    store = ObjectStore(ADDRESS)
    with lease.lease(store, beat=0.05) as held:
        found = pytest.raises(Locked, match=r"found process \d+ on .* working there; wait for its end")
        with found, lease.lease(ObjectStore(ADDRESS), beat=0.05, patience=5.0):
            pass
        held.check()
        held._end.set()  # as a driver that was killed
        held._thread.join()
        with lease.lease(ObjectStore(ADDRESS), beat=60, patience=0.6) as other:
            other.check()
        held._is_lost = True
    assert not store.read(lease.NAME)[0]


def test_a_driver_whose_lease_was_taken_over_stops(server):
    store = ObjectStore(ADDRESS)
    with lease.lease(store, beat=0.05) as held:
        store.remove(lease.NAME)
        held._thread.join(10)
        with pytest.raises(Locked):
            held.check()


def test_what_was_changed_in_the_store_is_not_taken(server, tmp_path):
    store = ObjectStore(ADDRESS)
    [part] = stage(tmp_path, "made", "k", ["all"], lambda part: _write(part.folder / "below" / "file", b"bytes"))
    store.share([part])
    shutil.rmtree(part.folder)
    store.bring(part)
    assert is_whole(part)
    store._files.pipe_file(f"{store._of(part)}/below/file", b"other bytes")
    shutil.rmtree(part.folder)
    with pytest.raises(Spoiled, match="found other bytes"):
        store.bring(part)
    assert not store.has_slip("made", part.key)
    store._files.rm_file(f"{store._of(part)}/below/file")
    with pytest.raises(Spoiled, match="found no below/file"):
        store.bring(part)
    assert not list(tmp_path.rglob("*.partial"))


def test_a_store_that_does_not_answer_has_spoiled_nothing(server, tmp_path, monkeypatch):
    store = ObjectStore(ADDRESS)
    [part] = stage(tmp_path, "made", "k", ["all"], lambda part: _write(part.folder / "file", b"bytes"))
    store.share([part])
    shutil.rmtree(part.folder)

    def silent(*_):
        raise OSError("no answer")

    monkeypatch.setattr(store._files, "get_file", silent)
    with pytest.raises(Lost, match="found: no answer") as raised:
        store.bring(part)
    assert not isinstance(raised.value, Spoiled)
    assert store.has_slip("made", part.key)


def test_what_is_spoiled_or_gone_in_the_store_is_made_again(alone, unbuilt, away, server):
    """The driver's folder is lost, and of three parts that nodes left one has other bytes, one has lost a file, and the
    slip of one is torn."""
    assert away(unbuilt, InProcess(), STORAGE) == 0
    folder, store = unbuilt.parent / "build", ObjectStore(ADDRESS)
    spoiled, gone, torn = (part for part in finished(folder) if part.stage == "corpus-m")
    names = [f"{store._of(part)}/{next(iter(part.files))}" for part in (spoiled, gone)]
    store._files.pipe_file(names[0], b"other bytes")
    store._files.rm_file(names[1])
    store._files.pipe_file(store._slip("corpus-m", torn.key), b"{\xff")
    shutil.rmtree(folder)
    engine = InProcess()
    assert away(unbuilt, engine, STORAGE) == 0
    assert sorted(part for order in engine.orders for part in order.keys) == [0, CUT, 2 * CUT]
    assert published(folder) == alone[1]


def test_only_slips_that_are_asked_for_are_read(server, tmp_path):
    store = ObjectStore(ADDRESS)
    parts = stage(tmp_path, "made", "k", list("abc"), lambda part: _write(part.folder / "file", b"bytes"))
    store.share(parts)
    server.read.clear()
    assert set(store.slips("made", {parts[1].key, "another"})) == {parts[1].key}
    assert store.has_slip("made", parts[0].key) and not store.has_slip("made", "another")
    assert [path.rpartition("/")[2] for path in server.read if "/slips/" in path] == [parts[1].key]


def test_a_part_of_the_same_key_with_other_bytes_is_shared_anew(server, tmp_path):
    """Times of day are in some; a driver whose folder was lost computes them again."""
    for content in (b"first", b"second"):
        folder = tmp_path / content.decode()
        [part] = stage(folder, "made", "k", ["all"], lambda part, of=content: _write(part.folder / "file", of))
        ObjectStore(ADDRESS).share([part])
        before = part.folder
        shutil.rmtree(before)
        ObjectStore(ADDRESS).bring(part)
        assert (before / "file").read_bytes() == content


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)


def test_nothing_is_brought_from_where_nothing_is(server, tmp_path, capsys):
    assert main(["bring", str(tmp_path / "reader"), ADDRESS]) == 2
    assert "expected a published database in s3://made-up/project, found none" in capsys.readouterr().err
    assert main(["bring", str(tmp_path / "reader"), "ftp://a"]) == 2


def test_what_a_large_database_reads_beside_itself_is_published_and_brought(server, tmp_path, monkeypatch):
    """Each file once, whole, and before CURRENT names the database."""
    monkeypatch.setattr(beside, "LARGE", 4)
    folder, reader, store = tmp_path / "large", tmp_path / "reader", ObjectStore(ADDRESS)
    folder.mkdir()
    publish(folder, shards(folder, 4))
    [texts] = beside.files_beside(folder)
    store.publish(folder)
    reader.mkdir()
    bring.run(reader, ADDRESS)
    assert published(reader) == published(folder)
    assert [path.name for path in beside.files_beside(reader)] == [texts.name]
    assert check(reader) == [] and not list(reader.glob("*.partial"))
    before = (reader / texts.name).stat().st_ino
    bring.run(reader, ADDRESS)
    assert (reader / texts.name).stat().st_ino == before  # what is there is not fetched again

    store._files.pipe_file(store._at(texts.name), b"other bytes")
    (reader / texts.name).unlink()
    with pytest.raises(Damaged, match=f"expected {texts.name} in {ADDRESS} as it was published, found other bytes"):
        bring.run(reader, ADDRESS)
    assert not beside.files_beside(reader) and not list(reader.glob("*.partial"))


@pytest.mark.parametrize(
    "address", ["s3://", "s3:///folder", "s3://my bucket/x", "s3://a\nb", "gs://a/b", "s3://a/b\n"]
)
def test_an_address_that_no_client_takes_is_a_mistake_in_one_line(tmp_path, capsys, address):
    assert main(["bring", str(tmp_path / "reader"), address]) == 2
    error = capsys.readouterr().err
    assert "expected 's3://bucket/folder' to bring a database from" in error and error.count("\n") == 1
    assert not (tmp_path / "reader").exists()


def test_what_a_client_says_in_several_lines_is_one(server, monkeypatch):
    store = ObjectStore(ADDRESS)

    def refuses(*_, **__):
        raise OSError("Parameter validation failed:\nInvalid bucket name\n")

    monkeypatch.setattr(store._files, "cat_file", refuses)
    monkeypatch.setattr(store._files, "call_s3", refuses)
    with pytest.raises(Lost, match="found: Parameter validation failed: Invalid bucket name") as told:
        store.read("CURRENT")
    assert "\n" not in str(told.value)


def test_a_node_says_so_when_the_client_is_missing(monkeypatch):
    from indexer.config import installed

    def missing(name):
        raise installed.PackageNotFoundError(name)

    monkeypatch.setattr(installed, "version", missing)
    with pytest.raises(BadInput, match="expected the package s3fs, found it missing; run `pip install 's3fs'`"):
        ObjectStore(ADDRESS)


def test_the_cache_is_below_the_folder_for_temporary_files(server, tmp_path):
    assert tmp_path in Path(ObjectStore(ADDRESS).parts()).parents
