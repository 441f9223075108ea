"""Several processes at the same work: all of it is done, and a failure or a death is told."""

import os
import signal
from pathlib import Path

import pytest

from attribution.errors import BadInput, TryAgain, WhenceError
from indexer.processes.side_by_side import side_by_side


def leave(path: Path) -> None:
    path.write_text(str(os.getpid()))


def refuse(path: Path) -> None:
    raise BadInput(f"expected something else than {path.name}")


def die(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_every_item_is_done_once_in_other_processes(tmp_path):
    items = [tmp_path / f"{i}" for i in range(5)]
    ticks = []
    side_by_side(leave, items, 2, lambda: ticks.append(1))
    pids = {path.read_text() for path in items}
    assert len(ticks) == 5
    assert len(pids) == 2
    assert str(os.getpid()) not in pids


def test_one_process_needs_no_child(tmp_path):
    side_by_side(leave, [tmp_path / "a", tmp_path / "b"], 1, lambda: None)
    assert (tmp_path / "b").read_text() == str(os.getpid())


def test_a_failure_is_raised_here(tmp_path):
    with pytest.raises(BadInput, match="something else"):
        side_by_side(refuse, [tmp_path / "a", tmp_path / "b"], 2, lambda: None)


def test_a_killed_process_is_named_as_such(tmp_path):
    with pytest.raises(TryAgain, match=r"ended by SIGKILL \(often too little memory\); give the same command again"):
        side_by_side(die, [tmp_path / "a", tmp_path / "b"], 2, lambda: None)


def crash(path: Path) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def fall(path: Path) -> None:
    raise ZeroDivisionError(f"by nothing\nin {path.name}")


def test_input_34_a_crash_tells_its_cause_and_is_not_tried_again(tmp_path):
    with pytest.raises(
        WhenceError, match=r"found ZeroDivisionError: by nothing in a \(test_side_by_side.py line"
    ) as told:
        side_by_side(fall, [tmp_path / "a", tmp_path / "a"], 2, lambda: None)
    assert told.value.exit_code == 1
    assert "\n" not in str(told.value)
    with pytest.raises(WhenceError, match="crashed by SIGSEGV; the same command will end so again") as told:
        side_by_side(crash, [tmp_path / "a", tmp_path / "b"], 2, lambda: None)
    assert told.value.exit_code == 1
