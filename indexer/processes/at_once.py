"""EDGE: how many processes work side by side: as many as the configuration says, or as pay and fit into the memory."""

import os

from attribution.machine import whole_memory
from attribution.schedule import LEAST
from indexer.config.config import Device

LARGE = 50_000_000  # parameters of a model whose matrices fill all cores: one process with all threads is as fast
ALONE = 500 << 20  # bytes of a process with its libraries, documents and database
COPIES = 2  # of the weights: the fit has one in a process of its own


def at_once(device: Device, kind: str, n_params: int) -> int:
    """Processes that may work side by side on a device of this kind, on models of up to `n_params`; one at least.

    They share what `[device] memory` grants, or all of the machine's.
    """
    if device.processes:
        return device.processes
    if kind == "cuda" or n_params > LARGE:
        return 1
    each = ALONE + LEAST + COPIES * 4 * n_params
    there = int(device.memory * 1e9) or whole_memory()
    return max(1, min(os.cpu_count() or 1, there // each))
