"""EDGE: memory of the influence of one answer: `python -m tests.benchmarks memory`.

A random model, a process of its own for each row. Tokens of the answer, tokens of a document and layers grow one at a
time, then all together: what is held must not grow with their product. It is counted above the weights and a curvature
of which layers of one shape share a matrix, and looked at a hundred times a second.

    answer      tokens that are explained, each a query of its own
    P           what the directions of all of them are in full: answer x parameters, four bytes each
    own         bytes more than before at the highest, of what belongs to the process
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from attribution.curvature.blocks import damp
from attribution.exact.scores import score_documents
from attribution.model.tracked import track
from attribution.query.passes import at_once
from attribution.query.settled import HELD, settled
from attribution.query.solve import bytes_of_query, query_directions
from indexer.tracing.chunks import cut
from tests.benchmarks.alternate import clock
from tests.benchmarks.own_memory import watched
from tests.benchmarks.random_models import Shape, random_model, random_rows, unit_factors

SHAPE = Shape("llama", 49_152, 256, 12, 4, 2, 1536)
PROMPT, DOCUMENTS = 16, 4
BASE = (24, 512, 12)  # tokens of the answer, tokens of a document, layers
ANSWERS, LENGTHS, LAYERS = (4, 24, 96), (64, 512, 2048), (12, 24, 48)
MOST = 16 << 30  # bytes that a process may ask for: a wrong one ends by itself, not the machine
LIMIT = 900  # seconds of a row


def rows(every: bool = False) -> list[tuple[int, int, int]]:
    """One after the other away from the base, then the largest of all; `every`: all combinations."""
    if every:
        return [(a, t, n) for n in LAYERS for t in LENGTHS for a in ANSWERS]
    found = [BASE, *((a, *BASE[1:]) for a in ANSWERS), *((BASE[0], t, BASE[2]) for t in LENGTHS)]
    found += [(*BASE[:2], n) for n in LAYERS] + [(ANSWERS[-1], LENGTHS[-1], LAYERS[-1])]
    return list(dict.fromkeys(found))


def child(answer: int, length: int, layers: int, memory: float, shape: Shape = SHAPE) -> dict[str, Any]:
    """What one row takes, in this process.    memory: GB, as of `[device] memory`; 0 for a share of what is free"""
    tracked = track(random_model(replace(shape, layers=layers), memory=memory))
    H = damp(unit_factors(tracked))
    documents = random_rows(shape, DOCUMENTS, length)
    [asked] = random_rows(shape, 1, PROMPT + answer, seed=2)
    now = clock()
    started = now()
    with watched() as found:
        together = min(answer, at_once(tracked, len(asked)))
        size, most = bytes_of_query(tracked, H, len(asked), together), tracked.schedule.share(HELD)
        for chunk in cut([answer], [size], most):  # as `ask` does it
            [(_, positions)] = chunk
            first, last = PROMPT + positions.start, PROMPT + positions.stop
            directions = query_directions(tracked, H, asked.ids, first, last=last)
            some = settled(tracked, directions, sum(map(len, documents)))
            score_documents(tracked, some, documents, len(documents))
    parameters = sum(of.n_out * of.n_in for of in tracked.layers)
    return {
        "own": found.peak - found.before,
        "before": found.before,
        "P": 4 * answer * parameters,
        "schedule": tracked.schedule.memory,
        "seconds": now() - started,
    }


def measured(row: Sequence[int], memory: float) -> dict[str, Any]:
    """A row in a process of its own, or why there is none."""
    command = [
        sys.executable,
        "-m",
        "tests.benchmarks.bench_memory",
        "--memory",
        str(memory),
        "--child",
        *map(str, row),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        return {"why": f"more than {LIMIT} s"}
    if done.returncode:
        return {"why": (done.stderr.strip().splitlines() or [f"ended with {done.returncode}"])[-1][:100]}
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--memory", type=float, default=2.0, help="GB, as of [device] memory; 0: a share of what is free"
    )
    parser.add_argument("--every", action="store_true", help="all 27 combinations")
    parser.add_argument("--child", type=int, nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        resource.setrlimit(resource.RLIMIT_AS, (MOST, MOST))
        print(json.dumps(child(*given.child, memory=given.memory)))
        return
    print(f"{SHAPE}, {DOCUMENTS} documents, [device] memory = {given.memory}")
    print(f"{'answer':>8}{'document':>10}{'layers':>8}{'P MB':>10}{'before MB':>11}{'own MB':>9}{'s':>8}")
    for row in rows(given.every):
        found = measured(row, given.memory)
        start = f"{row[0]:>8}{row[1]:>10}{row[2]:>8}"
        if "why" in found:
            print(f"{start}  {found['why']}", flush=True)
            continue
        numbers = f"{found['P'] / 1e6:>10,.0f}{found['before'] / 1e6:>11,.0f}{found['own'] / 1e6:>9,.0f}"
        print(f"{start}{numbers}{found['seconds']:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
