"""Several processes at one stage: every part is computed once, and a dead process leaves nothing behind."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from indexer.journal.claims import claims
from indexer.journal.part import Partition
from indexer.journal.stages import finished, stage

PARTS = list(range(8))


def slow(part: Partition) -> None:
    (part.folder / "by").write_text(str(os.getpid()))
    time.sleep(0.05)


def work(folder: Path) -> None:
    stage(folder, "shared", "k", PARTS, slow)


def hang(folder: Path, started: Path) -> None:
    def compute(part: Partition) -> None:
        started.touch()
        time.sleep(60)

    stage(folder, "shared", "k", PARTS[:1], compute)


def test_two_processes_share_the_parts(tmp_path):
    context = multiprocessing.get_context("fork")
    both = [context.Process(target=work, args=(tmp_path,)) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()
    assert [each.exitcode for each in both] == [0, 0]
    lines = (tmp_path / "journal.jsonl").read_text().splitlines()
    assert len(lines) == len(PARTS)  # none twice
    makers = {(part.folder / "by").read_text() for part in finished(tmp_path, "shared")}
    assert makers == {str(each.pid) for each in both}


def test_parts_may_depend_on_things_of_their_own(tmp_path):
    def made(keys: dict[str, str]) -> dict[str, Path]:
        return {part.part: part.folder for part in stage(tmp_path, "sets", keys, list(keys), lambda part: None)}

    before = made({"a": "1", "b": "2"})
    after = made({"b": "2", "a": "other", "c": "3"})
    assert list(after) == ["b", "a", "c"]
    assert after["b"] == before["b"] and after["a"] != before["a"]
    assert len(finished(tmp_path, "sets")) == 3


def test_what_a_killed_process_had_claimed_is_computed_by_another(tmp_path):
    started = tmp_path / "started"
    process = multiprocessing.get_context("fork").Process(target=hang, args=(tmp_path, started))
    process.start()
    while not started.exists():
        time.sleep(0.01)
    [scratch] = (tmp_path / "parts" / "shared").glob("*.partial")
    stage(tmp_path, "shared", "k", PARTS[1:2], slow)
    assert scratch.exists()  # its process is at work
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    stage(tmp_path, "shared", "k", PARTS[:1], slow)
    assert not scratch.exists()
    assert {each.part for each in finished(tmp_path, "shared")} == {0, 1}


@pytest.mark.parametrize("key", ["00ff", "f" * 16])
def test_a_claim_is_one_process_s(tmp_path, key):
    with claims(tmp_path) as held:
        assert held.take(key)
        assert held.take(key)  # our own
        taken = multiprocessing.get_context("fork").Process(target=_exits_with, args=(tmp_path, key))
        taken.start()
        taken.join()
        assert taken.exitcode == 1
        held.leave(key)


def _exits_with(folder: Path, key: str) -> None:
    with claims(folder) as held:
        os._exit(0 if held.take(key) else 1)
