"""Killed anywhere, full anywhere, damaged anywhere: the same result in the end."""

import os
import shutil
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from attribution.errors import Locked, TryAgain
from indexer.database.check import check, content_hash
from indexer.database.publish import publish
from indexer.database.reader import Database
from indexer.database.repair import collect, repair
from indexer.database.shard import write_shard
from indexer.database.snapshot_file import read_current, snapshots
from indexer.journal import faults
from indexer.journal.files import disk_room
from indexer.journal.lines import append, finished, unreadable_lines
from indexer.journal.lock import lock
from indexer.journal.stages import stage
from tests.indexer.small_build import InProcess, build, collect_locked, repair_locked, run_in_process

SLOW = pytest.mark.slow

REPAIR = [point for point in faults.POINTS if point.startswith(("rewrite", "repair", "gc"))]
POINTS = [point for point in faults.POINTS if point not in REPAIR and not point.startswith("slip")]
PASSED = {"partition": 3, "journal": 3, "publish": 2, "current": 2}  # times in one build of tests.indexer.small_build
EVERY = [(point, n) for point in POINTS for n in range(1, PASSED[point.partition(".")[0]] + 1)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    build(folder)
    return folder


def published_hash(folder: Path) -> str:
    current = read_current(folder)
    assert current is not None
    return content_hash(folder / current.database)


@pytest.fixture
def copy(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "build")
    return tmp_path / "build"


@pytest.mark.parametrize(("point", "n"), [(p, n) if n == 2 else pytest.param(p, n, marks=SLOW) for p, n in EVERY])
def test_killed_at_every_point_and_resumed_it_is_the_same(point, n, whole, tmp_path):
    assert run_in_process(tmp_path, f"{point}:{n}:kill")[0] == -signal.SIGKILL
    if (tmp_path / "CURRENT").exists():
        assert Database(tmp_path).current().notice == ""
    computed = build(tmp_path)
    assert len(computed) < 3 or n == 1  # what had been finished was kept
    assert published_hash(tmp_path) == published_hash(whole)
    assert check(tmp_path) == []
    collect(tmp_path)
    assert not list(tmp_path.rglob("*.partial*"))


def test_those_are_all_the_times_that_a_build_passes_a_point(tmp_path):
    for point, n in PASSED.items():
        name = next(each for each in POINTS if each.startswith(point))
        assert run_in_process(tmp_path / point, f"{name}:{n + 1}:kill")[0] == 0


@pytest.mark.parametrize("point", ["rewrite.written", "rewrite.synced", "rewrite.moved", "rewrite.replaced"])
def test_a_repair_that_is_killed_can_be_repeated(point, copy, whole):
    _damage(copy)
    assert run_in_process(copy, f"{point}:1:kill", repair_locked)[0] == -signal.SIGKILL
    _repaired_and_built(copy, whole)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_repair_that_is_killed_while_it_removes_can_be_repeated(n, copy, whole):
    _damage(copy)
    assert run_in_process(copy, f"repair.removed:{n}:kill", repair_locked)[0] == -signal.SIGKILL
    _repaired_and_built(copy, whole)


def _damage(copy):
    """Two parts, the newest snapshot, and a line of the journal."""
    for path in [*copy.glob("parts/scores/*/run.parquet"), sorted(copy.glob("snap-*.duckdb"))[-1]]:
        path.write_bytes(path.read_bytes()[:-1] + b"?")
    with (copy / "journal.jsonl").open("ab") as file:
        file.write(b'{"torn')


def _repaired_and_built(copy, whole):
    repair(copy)
    assert check(copy) == []
    assert Database(copy).current()
    build(copy)
    assert check(copy) == []
    assert published_hash(copy) == published_hash(whole)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_collection_that_is_killed_harms_nothing(n, copy, whole):
    for seed in (1, 0):
        build(copy, seed=seed)
    (copy / "parts" / "scores" / "unlisted").mkdir()
    before = read_current(copy)
    assert run_in_process(copy, f"gc.removed:{n}:kill", collect_locked)[0] == -signal.SIGKILL
    assert (read_current(copy), check(copy)) == (before, [])
    collect(copy, keep=1)
    assert len(snapshots(copy)) == 1
    assert published_hash(copy) == published_hash(whole)
    assert build(copy) == []


def test_parts_of_earlier_prompts_are_collected_and_those_of_an_unfinished_build_are_not(tmp_path):
    def compute(part):
        write_shard(part.folder, "prompt", {"prompt_id": [str(part.value)], "text": [str(part.value)]})

    def parts_on_disk():
        return sorted(path.name[:1] for path in tmp_path.glob("parts/scores/*"))

    publish(tmp_path, stage(tmp_path, "scores", "k", ["a", "b"], compute))
    time.sleep(0.02)
    publish(tmp_path, stage(tmp_path, "scores", "k", ["b", "c"], compute))  # a was of a prompt that has gone
    stage(tmp_path, "scores", "k", ["d"], compute)  # of a build that goes on
    stage(tmp_path, "other", "k", ["e"], compute)
    assert parts_on_disk() == ["a", "b", "c", "d"]
    assert [path.name[0] for path in collect(tmp_path)] == ["a"]
    assert parts_on_disk() == ["b", "c", "d"]
    assert {each.part for each in finished(tmp_path)} == {"b", "c", "d", "e"}
    assert collect(tmp_path) == check(tmp_path) == []


@pytest.mark.parametrize("point", POINTS)
def test_a_full_disk_at_every_point_ends_clearly_and_resumes(point, whole, tmp_path, monkeypatch):
    faults._passed.clear()
    monkeypatch.setenv("WHENCE_FAULT", f"{point}:2:full")
    with pytest.raises(TryAgain, match=r"expected room on the disk of .* found it full; free some"):
        build(tmp_path)
    assert not list(tmp_path.rglob("*.partial*"))
    monkeypatch.delenv("WHENCE_FAULT")
    build(tmp_path)  # the lock is free
    assert published_hash(tmp_path) == published_hash(whole)


@pytest.mark.parametrize("point", ["rewrite.written", "rewrite.synced"])
def test_a_full_disk_while_repairing_ends_clearly_and_can_be_repeated(point, copy, whole, monkeypatch):
    _damage(copy)
    faults._passed.clear()
    monkeypatch.setenv("WHENCE_FAULT", f"{point}:1:full")
    with pytest.raises(TryAgain, match="found it full"):
        repair_locked(copy)
    monkeypatch.delenv("WHENCE_FAULT")
    _repaired_and_built(copy, whole)


def test_sigterm_drops_the_partition_and_frees_the_lock(whole, tmp_path):
    code, said = run_in_process(tmp_path, "partition.computed:2:term")
    assert (code, said[:18]) == (75, "stopped by SIGTERM")
    assert [part.stage for part in finished(tmp_path)] == ["corpus"]
    assert not list(tmp_path.rglob("*.partial*"))
    assert build(tmp_path) == ["scores/synth-s", "scores/synth-m"]
    assert published_hash(tmp_path) == published_hash(whole)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
def test_a_disk_that_is_really_full(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=600k tmpfs {folder} 2>/dev/null"):  # noqa: S605
        pytest.skip("may not mount here")
    try:
        code, said = run_in_process(folder)
        assert (code, said[:25]) == (75, "expected room on the disk")
        assert not list(folder.rglob("*.partial*"))
        (folder / "ballast").write_bytes(bytes(_free(folder)))  # to the last byte
        assert (run_in_process(folder)[0], _free(folder)) == (75, 0)
        (folder / "ballast").unlink()
        with lock(folder):
            pass
        os.system(f"mount -o remount,size=60m {folder}")  # noqa: S605
        build(folder)
        assert check(folder) == []
    finally:
        os.system(f"umount {folder}")  # noqa: S605


def _free(folder: Path) -> int:
    stat = os.statvfs(folder)
    return stat.f_bavail * stat.f_frsize


def test_a_second_build_does_nothing(copy):
    before = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file() and path.name != "lock"}
    assert build(copy) == []
    after = {path: path.stat().st_mtime_ns for path in copy.rglob("*") if path.is_file() and path.name != "lock"}
    assert {**before, copy / "CURRENT": 0} == {**after, copy / "CURRENT": 0}


def test_a_second_indexer_is_refused_by_name_and_the_first_unharmed(whole, tmp_path):
    first = InProcess(tmp_path, "partition.synced:2:stop")  # it stands in the middle of its work
    wait_until_stopped(first.pid)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    for work in (build, repair_locked, collect_locked):
        code, said = run_in_process(tmp_path, work=work)
        assert code == Locked.exit_code
        assert f"found process {first.pid} on " in said
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
    os.kill(first.pid, signal.SIGCONT)
    assert first.ended() == (0, "")
    assert published_hash(tmp_path) == published_hash(whole)
    assert check(tmp_path) == []


def wait_until_stopped(pid: int) -> None:
    deadline = time.monotonic() + 60
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "T":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_second_indexer_may_wait(tmp_path):
    with lock(tmp_path):
        threading.Timer(0.3, lambda: None).start()
        begun = time.monotonic()
        with pytest.raises(Locked), lock(tmp_path, wait=0.3):
            pass
        assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("damage", ["truncated", "empty", "zero-tailed", "gone", "added to", "flipped"])
def test_a_damaged_partition_is_found_and_only_it_redone(damage, copy, whole):
    shard = next(copy.glob("parts/scores/synth-m-*/influence.parquet"))
    content = shard.read_bytes()
    shard.unlink()
    if damage == "truncated":
        shard.write_bytes(content[:-100])
    elif damage == "empty":
        shard.write_bytes(b"")
    elif damage == "zero-tailed":
        shard.write_bytes(content[:-512] + bytes(512))
    elif damage == "added to":
        shard.write_bytes(content)
        (shard.parent / "planted.parquet").write_bytes(content)
    elif damage == "flipped":
        shard.write_bytes(content[:200] + bytes([content[200] ^ 1]) + content[201:])
    name = shard.with_name("planted.parquet").name if damage == "added to" else shard.name
    assert [Path(problem.artefact).name for problem in check(copy)] == [name]
    assert build(copy) == ["scores/synth-m"]
    assert check(copy) == []
    assert published_hash(copy) == published_hash(whole)


SHARDS = ["parts/corpus/*/document.parquet", "parts/scores/*/run.parquet"]


@pytest.mark.parametrize("pattern", ["CURRENT", "journal.jsonl", "snap-*.duckdb", *SHARDS])
def test_one_flipped_bit_in_each_artefact_is_named_and_repair_redoes_only_that(pattern, copy, whole):
    path = sorted(copy.glob(pattern))[-1]
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 8
    path.write_bytes(content)
    problems = check(copy)
    assert {problem.artefact for problem in problems} == {path.relative_to(copy).as_posix()}
    assert len(repair(copy)) >= 1
    assert check(copy) == []
    assert len(build(copy)) == (pattern in ["journal.jsonl", *SHARDS])
    assert check(copy) == []
    assert published_hash(copy) == published_hash(whole)


def test_a_flipped_bit_anywhere_in_the_small_files_is_seen(copy):
    questions = [("CURRENT", lambda: read_current(copy) is None), ("journal.jsonl", lambda: unreadable_lines(copy))]
    for name, is_seen in questions:
        content = (copy / name).read_bytes()
        for at in range(0, len(content.rstrip()), 9):
            (copy / name).write_bytes(content[:at] + bytes([content[at] ^ 2]) + content[at + 1 :])
            assert is_seen(), (name, content[at - 5 : at + 5])


def test_other_settings_under_the_same_names_never_give_an_old_score(copy, whole):
    assert build(copy, seed=1) == ["scores/synth-s", "scores/synth-m"]
    assert published_hash(copy) != published_hash(whole)
    assert build(copy) == ["scores/synth-s", "scores/synth-m"]
    assert published_hash(copy) == published_hash(whole)


def test_a_journal_cannot_point_outside_its_folder(copy, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    part = finished(copy)[0]
    append(copy, replace(part, folder=copy / "parts" / ".." / ".." / "outside"))
    assert all((copy / "parts") in each.folder.parents for each in finished(copy))
    repair(copy)
    assert outside.exists()


def test_a_part_may_not_leave_the_folder_by_its_name(tmp_path):
    done = stage(tmp_path, "s", "k", ["../../x", "a/b", "a_b", "\x00"], lambda part: (part.folder / "f").touch())
    assert all(each.folder.parent == tmp_path / "parts" / "s" for each in done)
    assert len({each.folder for each in done}) == 4


@pytest.mark.parametrize("name", ["x.partial", "half", "a.b.partial", "-.1.partial", "e-0123456789abcdef.77.partial"])
def test_whatever_an_accident_left_behind_harms_no_build(copy, whole, name):
    left = copy / "parts" / "scores" / name
    left.mkdir()
    (left / "influence.parquet").write_bytes(b"PAR1 half")
    assert build(copy) == []
    assert left.exists() == (name == "half")  # what is not named as scratch is left to gc
    assert published_hash(copy) == published_hash(whole)
    collect(copy)
    assert not left.exists()


def test_other_errors_of_the_disk_stay_what_they_are(tmp_path):
    with pytest.raises(FileNotFoundError), disk_room(tmp_path):
        (tmp_path / "none").read_bytes()
    with pytest.raises(TryAgain), disk_room(tmp_path):
        raise OSError("Error writing: No space left on device")
