"""Which setting to change where a build does not fit: pure."""

from collections.abc import Iterator, Sequence

from indexer.plan.forecast import GROUPS, Stage
from indexer.plan.memory import BUDGET, CORPUS, FACTORS, INDEX, PASS, REST, WEIGHTS

CHANGE = {
    WEIGHTS: 'take a smaller [[model]], or [device] dtype = "bfloat16"',
    FACTORS: "name fewer [factors] layers",
    PASS: 'split the longest documents, set [corpus] long = "cut", or name fewer [factors] layers',
    BUDGET: "set a smaller [device] memory",
    INDEX: "set a smaller [index] rank",
    CORPUS: "take fewer documents",
    REST: "set [device] processes = 1",
}


def advice(stages: Sequence[Stage], memory: float, disk: float) -> Iterator[str]:
    """A line for memory and one for the disk, where one is too small.

    stages: of all sizes.   memory, disk: bytes that are free.
    """
    highest = max(stages, key=lambda stage: stage.memory)
    if highest.memory > memory:
        largest = max(highest.parts, key=lambda part: highest.parts[part])
        yield (
            f"{highest.name} needs {size(highest.memory)} of memory, {size(memory)} are free; most of it is {largest} "
            f"({size(highest.parts[largest])}): {CHANGE[largest]}"
        )
    kept = sum(stage.disk for stage in stages)
    if kept > disk:
        most = max(stages, key=lambda stage: stage.disk)
        change = {"factors": CHANGE[FACTORS], GROUPS: "set a smaller [groups] disk"}.get(most.name, CHANGE[INDEX])
        yield f"{size(kept)} of disk are needed, {size(disk)} are free: {change}, or choose another [output] folder"


def size(n_bytes: float) -> str:
    for unit, least in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9)):
        if n_bytes >= least:
            return f"{n_bytes / least:.1f} {unit}"
    return f"{n_bytes / 1e6:.0f} MB"


def duration(seconds: float) -> str:
    for unit, of, most in (("s", 1, 120), ("min", 60, 7200), ("h", 3600, 172_800), ("days", 86_400, 63_072_000)):
        if seconds < most:
            return f"{seconds / of:.1f} {unit}" if unit == "h" else f"{seconds / of:.0f} {unit}"
    return f"{seconds / 31_536_000:.0f} years"
