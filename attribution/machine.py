"""EDGE: what this machine has: memory that is free to this process, and the cache of a core."""

import os
import resource
from dataclasses import replace
from functools import cache
from pathlib import Path

import torch

from attribution.cgroup import groups
from attribution.schedule import LEAST, Schedule, of_kind

SHARE = 0.25  # of what is free: others need some, and what is counted is not all that is used
UNKNOWN = 4 << 30  # bytes, where the system does not say
_L2 = Path("/sys/devices/system/cpu/cpu0/cache/index2/size")
_PROCESSES = Path("/proc")


def schedule_of(device: torch.device, wanted: float = 0.0, processes: int = 1, beside: int = 0) -> Schedule:
    """For one of several processes whose model is loaded.

    wanted: GB that they may use together, what they hold already included; 0: `SHARE` of what is free.
    beside: bytes that another process holds for this command, which are among those wanted.
    """
    free = free_memory(device) // processes
    memory = int(SHARE * free)
    if wanted:
        held = torch.cuda.memory_allocated(device) if device.type == "cuda" else resident()
        memory = min(free, int((wanted * 1e9 - beside) / processes) - held)
    return replace(of_kind(device.type), memory=max(LEAST, memory), cached=cached_numbers(device))


def free_memory(device: torch.device) -> int:
    """Bytes that may still be used: of a GPU, or what the system, control groups and `ulimit -v` leave."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [_available(), *(group.left for group in groups())]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        found.append(max(0, soft - _of_process("VmSize")))
    return min(found)


def whole_memory() -> int:
    """Bytes of this machine that its control groups and `ulimit -v` let a process use, what is used included."""
    found = [_installed(), *(group.limit for group in groups())]
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    return min([*found, soft] if soft != resource.RLIM_INFINITY else found)


def resident(process: int | None = None) -> int:
    """Bytes of memory that are a process's own, this one's if none is named; 0 where the system does not say."""
    return _of_process("RssAnon", process) + _of_process("RssShmem", process)


@cache
def cached_numbers(device: torch.device) -> int:
    """float32 numbers that the cache of a core holds, of a GPU that of all its cores."""
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


def _installed() -> int:
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return UNKNOWN


def _available() -> int:
    found = _kilobytes_of(_PROCESSES / "meminfo", "MemAvailable")
    return UNKNOWN if found is None else found


def _of_process(field: str, process: int | None = None) -> int:
    return _kilobytes_of(_PROCESSES / str(process or "self") / "status", field) or 0


def _kilobytes_of(path: Path, field: str) -> int | None:
    """Bytes of a line `field:   123 kB`; None where there is none."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(field + ":")), None)
