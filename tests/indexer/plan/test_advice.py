"""What does not fit is said with its largest part and the setting that makes that part smaller."""

import pytest

from indexer.plan.advice import CHANGE, advice, duration, size
from indexer.plan.forecast import Stage
from indexer.plan.memory import BUDGET, CORPUS, FACTORS, INDEX, PASS, REST, WEIGHTS

GB = 10**9


def said(parts, disk=0, name="influence", memory=4 * GB, free=9 * GB):
    return list(advice([Stage("answers", 1, {REST: GB}, 0), Stage(name, 1, parts, disk)], memory, free))


@pytest.mark.parametrize("part", [WEIGHTS, FACTORS, PASS, BUDGET, INDEX, CORPUS, REST])
def test_the_largest_part_says_what_to_change(part):
    [line] = said({part: 5 * GB, "others": GB})
    assert line == (f"influence needs 6.0 GB of memory, 4.0 GB are free; most of it is {part} (5.0 GB): {CHANGE[part]}")


def test_what_fits_is_not_said():
    assert said({FACTORS: 3 * GB}) == []


def test_a_disk_that_is_too_small_is_said_with_what_fills_it():
    assert "[index] rank" in said({}, disk=10 * GB, name="corpus pass")[0]
    assert "[factors] layers" in said({}, disk=10 * GB, name="factors")[0]


def test_numbers_are_said_as_people_read_them():
    assert [size(n) for n in (5e6, 5e9, 5e12, 5e15)] == ["5 MB", "5.0 GB", "5.0 TB", "5.0 PB"]
    assert [duration(n) for n in (3, 300, 9000, 9e5, 1e9)] == ["3 s", "5 min", "2.5 h", "10 days", "32 years"]
