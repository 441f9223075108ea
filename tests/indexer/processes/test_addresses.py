"""Under `ulimit -v` a command ends with its result or with one line, whatever the limit is."""

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.processes.addresses import LEAST
from tests.tiny_family import write_project

ROOT = Path(__file__).parents[3]


def run(arguments: list[str], limit: int) -> subprocess.CompletedProcess[str]:
    def lower() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))

    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "indexer", *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=lower,  # noqa: PLW1509
    )  # fmt: skip


@pytest.mark.parametrize("command", ["build", "ask", "plan"])
@pytest.mark.parametrize("limit", [LEAST // 3, LEAST - 1])
def test_a_limit_below_what_libraries_take_is_one_line(tmp_path, command, limit):
    path = write_project(tmp_path)
    found = run([command, str(path), *(["The capital of France is"] if command == "ask" else [])], limit)
    assert found.returncode == 2
    assert found.stderr.startswith("whence: expected")
    assert found.stderr.count("\n") == 1
