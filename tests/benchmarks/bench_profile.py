"""EDGE: what this device is good at, beside what the schedule takes it for: `python -m tests.benchmarks profile`.

A build never measures itself: it would cut its work otherwise each time it goes on. A kind of device whose ratios are
far from 1 here deserves rates of its own in `attribution/schedule.py`. On a layer in the shape of SmolLM2's gate:

    products    multiply-adds in a second of a large float32 product
    memory      bytes in a second that are read, in order
    forming     of a gradient, for each token, in multiply-adds of a large product
    product     of a gradient that is in the cache with one of many directions
    rows        what a small product costs besides its own rows and columns
"""

import argparse
import time
from collections.abc import Callable

import torch
from torch import Tensor

from attribution.schedule import of_kind

N_OUT, N_IN, TOKENS = 576, 1536, 64
MANY, FEW = 64, 4  # documents and queries
SECONDS = 0.15  # of each measurement, about


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Of one call, the least of several."""

    def now() -> float:
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        return time.perf_counter()

    work()
    best, begun = float("inf"), now()
    while now() - begun < SECONDS:
        started = now()
        work()
        best = min(best, now() - started)
    return best


def measure(device: torch.device, cached: int) -> dict[str, float]:
    """Fields of `Rates`. cached: numbers that stay in the cache."""

    def normal(*shape: int) -> Tensor:
        return torch.randn(*shape, device=device)

    side = 1024 if device.type == "cpu" else 8192
    square = normal(side, side)
    products = side**3 / seconds(lambda: square @ square, device)
    large = normal(2**25 if device.type == "cpu" else 2**30)
    memory = large.nbytes / seconds(large.sum, device)
    del large
    rows = max(1, min(N_OUT, cached // (MANY * N_IN)))  # of the gradients of MANY documents, as many as the cache holds
    numbers = rows * N_IN
    deltas, inputs, gradients = normal(MANY, TOKENS, rows), normal(MANY, TOKENS, N_IN), normal(MANY, rows, N_IN)
    forming = seconds(lambda: torch.bmm(deltas.mT, inputs, out=gradients), device)
    flat, directions = gradients.view(MANY, numbers), normal(MANY, numbers)
    product, small = (seconds(lambda n=n: directions[:n] @ flat[:n].T, device) for n in (MANY, FEW))
    share = (small / product) ** 0.5  # (FEW + rows) / (MANY + rows)
    return {
        "products": products,
        "memory": memory,
        "forming": forming * products / numbers / TOKENS / MANY,
        "product": product * products / numbers / MANY**2,
        "rows": (MANY * share - FEW) / (1 - share) if share < 1 else float("inf"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    device, schedule = torch.device(given.device), of_kind(given.device)
    print(f"{given.device}, {given.threads} thread\n{'':10}{'here':>12}{'schedule':>12}{'ratio':>8}")
    for name, here in measure(device, schedule.cached).items():
        taken = float(getattr(schedule.rates, name))
        print(f"{name:10}{here:>12.3g}{taken:>12.3g}{here / taken:>8.2f}")


if __name__ == "__main__":
    main()
