"""The benchmark of a lent device works where there is none: every part on a tiny model."""

import pytest
import torch

from tests.benchmarks import bench_device
from tests.benchmarks.bench_device import LIMITS, SMALL, in_child, line, measured


@pytest.mark.parametrize("part", LIMITS)
def test_every_part_is_measured_beside_a_plain_pass(part):
    found = measured(part, SMALL, "cpu", torch.float32)
    assert found["seconds"] > 0 < found["plain"]
    assert line(found).startswith(part)


def test_all_parts_end_within_eight_minutes():
    assert sum(LIMITS.values()) <= 8 * 60


def test_a_part_that_takes_too_long_is_ended_and_said():
    assert in_child("exact", 0.01, ["--tiny"]) == {"part": "exact", "why": "more than 0 s"}


def test_a_part_that_fails_says_so(monkeypatch):
    monkeypatch.setattr(bench_device.sys, "executable", "false")
    assert line(in_child("exact", 100, ["--tiny"])) == f"{'exact':10}failed: no message"
