"""EDGE: several ways to the same result, in turn: median seconds, growth of memory, ratios.

With one thread these are CPU seconds: the clock's on an idle machine, and steadier on a busy one. With several they are
the clock's.
"""

import statistics
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch


def compare(title: str, sides: dict[str, Callable[[], object]], rounds: int, bound: float | None = None) -> None:
    """Alternate the sides; print median seconds, the most that memory grew, and each side over the first.

    bound: seconds of the operations that no exact method can leave out, as a line of its own.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    memory = dict.fromkeys(sides, 0.0)
    for _ in range(rounds):
        for name, work in sides.items():
            took, grew = measured(work)
            seconds[name].append(took)
            memory[name] = max(memory[name], grew)
    print(f"\n{title}")
    medians = {name: statistics.median(of) for name, of in seconds.items()}
    first = next(iter(medians.values()))
    for name, median in medians.items():
        spread = f"{min(seconds[name]):.2f}-{max(seconds[name]):.2f}"
        print(f"  {name:48}{median:9.2f} s ({spread:>13}) {memory[name]:8.0f} MiB  x {median / first:6.2f}", flush=True)
    if bound is not None:
        print(f"  {'least operations at the rate of a large product':48}{bound:9.2f} s {'x':>30} {bound / first:6.2f}")


def measured(work: Callable[[], object]) -> tuple[float, float]:
    """Seconds, and the MiB that resident memory grew by at its highest."""
    done = threading.Event()
    before, highest = resident(), [0.0]

    def watch() -> None:
        while not done.wait(0.005):
            highest[0] = max(highest[0], resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    seconds = clock()
    started = seconds()
    try:
        work()
        return seconds() - started, highest[0]
    finally:
        done.set()
        watcher.join()


def clock() -> Callable[[], float]:
    """CPU seconds where torch has one thread, else those of the wall."""
    return time.process_time if torch.get_num_threads() == 1 else time.perf_counter


def resident() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
