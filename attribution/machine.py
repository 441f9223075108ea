"""EDGE: what this machine has: memory that is free to this process, and the cache of a core."""

import resource
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from attribution.schedule import LEAST, Schedule, of_kind

SHARE = 0.25  # of what is free: others need some, and what is counted is not all that is used
_CGROUP = Path("/sys/fs/cgroup")
_L2 = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")


def schedule_of(device: torch.device, wanted: float = 0.0, processes: int = 1) -> Schedule:
    """For one of several processes whose model is loaded.

    wanted: GB that they may use together, what they hold already included; 0: `SHARE` of what is free.
    """
    if wanted:
        held = torch.cuda.memory_allocated(device) if device.type == "cuda" else resident()
        memory = int(wanted * 1e9 / processes) - held
    else:
        memory = int(SHARE * free_memory(device) / processes)
    return replace(of_kind(device.type), memory=max(LEAST, memory), cached=cached_numbers(device))


def free_memory(device: torch.device) -> int:
    """Bytes that may still be used: of a GPU, or what the system, a cgroup and `ulimit -v` leave."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [_available()]
    limit, used = _number(_CGROUP / "memory.max"), _number(_CGROUP / "memory.current")
    if limit is not None and used is not None:
        found.append(max(0, limit - used + _reclaimable()))
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        found.append(max(0, soft - _of_process("VmSize")))
    return min(found)


def resident() -> int:
    """Bytes of memory of this process that are its own; 0 where the system does not say."""
    return _of_process("RssAnon") + _of_process("RssShmem")


@cache
def cached_numbers(device: torch.device) -> int:
    """float32 numbers that stay in the cache of a core (of a GPU, in that of all), a quarter of it left for others."""
    if device.type == "cuda":
        size = int(torch.cuda.get_device_properties(device).L2_cache_size)
    else:
        size = _kilobytes(_L2) or 2 << 20
    return max(2**16, size // 4)


def _kilobytes(path: Path) -> int:
    try:
        return int(path.read_text().strip().removesuffix("K")) << 10
    except (OSError, ValueError):
        return 0


def _available() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return 4 << 30
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable")), 4 << 30)


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):  # "max"
        return None


def _reclaimable() -> int:
    """Bytes of a cgroup that are files, which the system may drop."""
    try:
        lines = (_CGROUP / "memory.stat").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) for line in lines if line.startswith(("inactive_file", "active_file")))


def _of_process(field: str) -> int:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(field + ":"))
