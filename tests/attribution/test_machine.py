"""What is measured of this machine: memory within every limit that is set, and one schedule for a kind of device."""

import resource
import subprocess
import sys

import pytest
import torch

from attribution import machine
from attribution.machine import cached_numbers, free_memory, resident, schedule_of
from attribution.schedule import LEAST, of_kind

CPU = torch.device("cpu")
LIMIT = 6 << 30


def test_what_ulimit_leaves_is_all_that_is_free():
    code = "import torch; from attribution.machine import free_memory; print(free_memory(torch.device('cpu')))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT)),  # noqa: PLW1509
        capture_output=True,
        text=True,
        check=True,
    )
    assert 0 < int(done.stdout) < LIMIT


@pytest.mark.parametrize(("limit", "used", "free"), [("1000000", "400000", 600_000), ("max", "7", None)])
def test_what_a_cgroup_leaves_is_all_that_is_free(tmp_path, monkeypatch, limit, used, free):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text(f"{used}\n")
    without = free_memory(CPU)
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert free_memory(CPU) == free if free else free_memory(CPU) > without // 2


def test_files_that_a_cgroup_counts_may_be_dropped(tmp_path, monkeypatch):
    for name, text in (("memory.max", "1000"), ("memory.current", "900"), ("memory.stat", "anon 1\ninactive_file 500")):
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    assert free_memory(CPU) == 600


def test_what_the_user_grants_is_shared_by_processes_and_what_they_hold_counts():
    one, two = (schedule_of(CPU, 8.0, n).memory for n in (1, 2))
    assert one == pytest.approx(8e9 - resident(), rel=0.05)
    assert two == pytest.approx(4e9 - resident(), rel=0.05)
    assert schedule_of(CPU, 0.001).memory == LEAST


def test_all_but_memory_and_cache_is_that_of_the_kind():
    found = schedule_of(CPU)
    assert (found.tokens, found.vectors, found.rates) == (of_kind("cpu").tokens, 2048, of_kind("cpu").rates)
    assert found.cached == cached_numbers(CPU) >= 2**16
    assert LEAST <= found.memory <= free_memory(CPU)
