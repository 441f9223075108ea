"""What a log is told of a task under way."""

import pytest

from indexer.processes import progress
from indexer.processes.progress import Report


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 0.0

        def monotonic(self):
            return self.now

    monkeypatch.setattr(progress, "time", made := Clock())
    return made


def said(clock, capsys, *ticks):
    """What stands in the log after ticks at (second, how many of a hundred)."""
    with Report() as report, report.task("fit", 100) as task:
        for second, n in ticks:
            clock.now = second
            task.tick(n)
    return [line.strip() for line in capsys.readouterr().err.splitlines()]


def test_the_time_left_is_told_by_what_was_done_since_the_first_second(clock, capsys):
    assert said(clock, capsys, (5.0, 20), (15.0, 10), (35.0, 10))[0] == "fit: 40/100, 90 s left"  # 20 in 30 seconds


def test_it_is_not_told_of_what_has_only_begun(clock, capsys):
    """A part takes half a minute before the first tick; the next one follows at once."""
    lines = said(clock, capsys, (29.0, 43), (31.0, 0.01), (62.0, 20.0))
    assert lines[0] == "fit: 43/100"
    assert lines[1] == "fit: 63/100, 61 s left"  # 20.01 of 100 in 33 seconds
