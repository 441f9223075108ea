"""What the benchmarks of a real model measure with: memory of a process and its children, stages, rows of a table."""

import subprocess
import sys
import time

import pytest

from tests.benchmarks.bench_llm import Ran, by_stage, planned
from tests.benchmarks.bench_memory import BASE, child, rows
from tests.benchmarks.own_memory import Watched, of_tree, watched
from tests.benchmarks.random_models import TINY

PLAN = """llm, estimated from sizes alone
stage                       time    memory      disk
factors                    2 min    419 MB    1.2 GB
corpus pass                  1 h    1.5 GB      0 MB
llm, measured
factors                     90 s    400 MB    1.2 GB
in all: about 2 min with 1 processes, 1.2 GB of memory at the highest
"""
HOLD = "import sys; held = bytearray(64 << 20); print(1, flush=True); sys.stdin.read()"


def test_memory_of_a_child_counts_while_it_is_there():
    command = [sys.executable, "-c", HOLD]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with watched(every=0.001) as found, process:
        process.stdout.readline()
        assert of_tree(process.pid) >= 64 << 20
        time.sleep(0.2)
        assert process.stdin is not None
        process.stdin.close()
    assert found.peak >= 64 << 20
    assert of_tree(process.pid) == 0


def test_the_last_word_of_a_plan_counts():
    assert planned(PLAN) == {"factors": (90, 400e6), "corpus pass": (3600, 1.5e9)}


def test_stages_have_the_memory_of_their_own_time():
    memory = Watched(0, [(1.0, 10), (2.0, 30), (3.0, 20), (4.0, 50)])
    finished = [("factors-llm", 1.5, 1.5), ("corpus-llm", 1.0, 2.5), ("corpus-llm", 0.9, 3.4), ("scores-llm", 0.5, 4.1)]
    expected = {"factors": (1.5, 10.0), "corpus pass": (1.9, 30.0), "influence": (0.5, 50.0)}
    found = by_stage(Ran(4.0, memory, "", finished))
    assert {name: pytest.approx(of) for name, of in found.items()} == expected


def test_one_thing_grows_at_a_time_and_then_everything():
    *each, last = rows()
    assert all(sum(a != b for a, b in zip(row, BASE, strict=True)) <= 1 for row in each)
    assert last == tuple(max(of) for of in zip(*rows(every=True), strict=True))
    assert len(rows(every=True)) == 27


def test_a_row_is_measured_at_any_size():
    found = child(3, 9, 2, memory=1.0, shape=TINY)
    assert found["P"] > 0 <= found["own"]
    assert found["seconds"] > 0
