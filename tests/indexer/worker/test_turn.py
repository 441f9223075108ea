"""Several dashboards on one folder: one question at a time, the same one once, and nobody waits for ever."""

import os
import signal
import time

import pytest

from indexer.worker import turn as turns
from indexer.worker.client import Worker
from indexer.worker.turn import LEFT, TAKEN, WAITED, WAITING, turn


@pytest.fixture
def dashboards():
    made = [Worker("tests.indexer.worker.turned:run", seconds=4.0) for _ in range(2)]
    for each in made:
        each.warm()
    yield made
    for each in made:
        each.close()


def ask(worker, folder, prompt, seconds=0.5):
    return worker.submit({"folder": str(folder), "prompt": prompt, "seconds": seconds}, "s").id


def until(worker, job, stage):
    deadline = time.monotonic() + 60
    while (now := worker.job(job)).stage != stage:
        assert time.monotonic() < deadline, now
        assert not now.ended, now
        time.sleep(0.02)


def test_two_dashboards_compute_one_at_a_time_and_the_same_question_once(dashboards, tmp_path):
    one, other = dashboards
    long = ask(one, tmp_path, "long", 2.5)
    until(one, long, "thinking")
    short = ask(other, tmp_path, "short", 2.5)
    until(other, short, WAITING)
    assert one.wait(long, 30).state == other.wait(short, 30).state == "done"  # 5 s, of which 4 are allowed
    same = ask(one, tmp_path, "same", 1.0)
    until(one, same, "thinking")
    waits = ask(other, tmp_path, "same", 1.0)
    assert one.wait(same, 30).result == other.wait(waits, 30).result == {"model": "m", "prompt": "same", "text": "SAME"}
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["begin", "end"] * 3
    assert all(lines[i].split()[1] == lines[i + 1].split()[1] for i in range(0, 6, 2))


def test_a_dashboard_that_is_killed_leaves_its_turn_and_who_leaves_needs_none(dashboards, tmp_path):
    one, other = dashboards
    hangs = ask(one, tmp_path, "hangs", 60)
    until(one, hangs, "thinking")
    left, waits = ask(other, tmp_path, "left"), ask(other, tmp_path, "waits")
    until(other, left, WAITING)
    other.leave(left, "s")
    assert other.wait(left, 10).state == "cancelled"
    until(other, waits, WAITING)
    os.kill(one._child.pid, signal.SIGKILL)
    assert other.wait(waits, 30).state == "done"
    assert "begin left" not in (tmp_path / "log").read_text()


def test_a_turn_is_taken_waited_for_or_left(tmp_path, monkeypatch):
    monkeypatch.setattr(turns, "_POLL_SECONDS", 0.001)
    told = []
    with turn(tmp_path, lambda *of: told.append(of), lambda: False) as how:
        assert (how, told) == (TAKEN, [])
        with turn(tmp_path, lambda *of: told.append(of), lambda: len(told) > 2) as other:
            assert other == LEFT
    assert {stage for stage, *_ in told} == {WAITING}
    held = turn(tmp_path, lambda *_: None, lambda: False)
    held.__enter__()
    with turn(tmp_path, lambda *_: held.__exit__(None, None, None), lambda: False) as how:
        assert how == WAITED


def test_a_folder_that_may_only_be_read_has_no_turns(tmp_path):
    missing = tmp_path / "nothing"
    with turn(missing, lambda *_: None, lambda: False) as one, turn(missing, lambda *_: None, lambda: False) as other:
        assert one == other == TAKEN
