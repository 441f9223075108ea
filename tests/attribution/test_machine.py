"""What is free is the least that anybody leaves, and processes share what the configuration grants."""

import resource

import pytest
import torch

from attribution import machine
from attribution.cgroup import Group
from attribution.machine import free_memory, resident, schedule_of, whole_memory
from attribution.schedule import LEAST, of_kind

CPU = torch.device("cpu")
GB = 10**9


@pytest.fixture
def system(tmp_path, monkeypatch):
    """A made-up /proc of 16 GB, 10 of them free, and a process of 1 GB of its own; no group, no limit."""
    (tmp_path / "self").mkdir()
    (tmp_path / "7").mkdir()
    (tmp_path / "meminfo").write_text(f"MemTotal: {16 * GB >> 10} kB\nMemAvailable: {10 * GB >> 10} kB\n")
    own = f"VmSize:  {3 * GB >> 10} kB\nRssAnon: {GB // 2 >> 10} kB\nRssShmem: {GB // 2 >> 10} kB\n"
    (tmp_path / "self" / "status").write_text(own)
    (tmp_path / "7" / "status").write_text(f"RssAnon: {2 * GB >> 10} kB\n")
    monkeypatch.setattr(machine, "_PROCESSES", tmp_path)
    monkeypatch.setattr(machine, "groups", list)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    return tmp_path


def near(n_bytes):
    return pytest.approx(n_bytes, abs=4096)


def test_free_is_what_the_system_a_group_and_a_limit_leave_together(system, monkeypatch):
    assert free_memory(CPU) == near(10 * GB)
    monkeypatch.setattr(machine, "groups", lambda: [Group(20 * GB, 0), Group(9 * GB, 3 * GB)])
    assert free_memory(CPU) == near(6 * GB)
    monkeypatch.setattr(resource, "getrlimit", lambda which: (5 * GB, resource.RLIM_INFINITY))
    assert free_memory(CPU) == near(2 * GB)  # 3 GB of addresses are taken
    monkeypatch.setattr(resource, "getrlimit", lambda which: (GB, resource.RLIM_INFINITY))
    assert free_memory(CPU) == 0


def test_all_memory_is_the_machine_s_or_less(system, monkeypatch):
    whole = whole_memory()
    monkeypatch.setattr(machine, "groups", lambda: [Group(whole // 2, 0)])
    assert whole_memory() == whole // 2
    monkeypatch.setattr(resource, "getrlimit", lambda which: (whole // 4, resource.RLIM_INFINITY))
    assert whole_memory() == whole // 4


def test_a_process_is_measured_by_what_is_its_own(system):
    assert resident() == near(GB)
    assert resident(7) == near(2 * GB)
    assert resident(8) == 0  # there is none
    (system / "meminfo").unlink()
    assert free_memory(CPU) == machine.UNKNOWN


def test_processes_share_what_is_free_or_what_is_granted(system):
    assert schedule_of(CPU).memory == near(2.5 * GB)
    assert schedule_of(CPU, processes=2).memory == near(1.25 * GB)
    assert schedule_of(CPU, 6.0).memory == near(5 * GB)  # 1 GB is held
    assert schedule_of(CPU, 6.0, processes=2).memory == near(2 * GB)
    assert schedule_of(CPU, 6.0, processes=2, beside=2 * GB).memory == near(GB)
    assert schedule_of(CPU, 1.0).memory == LEAST
    assert schedule_of(CPU, 99.0).memory == near(10 * GB)  # no more than there is


def test_the_cache_of_a_core_is_a_number_of_a_sensible_size():
    assert 2**16 <= machine.cached_numbers(CPU) <= 2**26


def test_all_but_memory_and_cache_is_that_of_the_kind():
    found = schedule_of(CPU)
    assert (found.tokens, found.vectors, found.rates) == (of_kind("cpu").tokens, 2048, of_kind("cpu").rates)
    assert found.cached == machine.cached_numbers(CPU)
    assert found.memory >= LEAST
