"""A partition depends on its key and on nothing that happened before it, in this process or in one of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attribution.errors import BadInput, TryAgain
from indexer.journal.stages import finished, key, stage
from tests.indexer.journal import computations


def drawn(parts):
    return [(part.folder / "drawn").read_text() for part in parts]


def test_what_is_drawn_depends_on_the_part_alone(tmp_path):
    both = drawn(stage(tmp_path / "a", "s", "k", [0, 1], computations.draw))
    [second] = drawn(stage(tmp_path / "b", "s", "k", [1], computations.draw))
    assert second == both[1] != both[0]
    [isolated] = drawn(stage(tmp_path / "c", "s", "k", [1], computations.draw, isolate=True))
    assert isolated == second
    [other] = drawn(stage(tmp_path / "d", "s", "other", [1], computations.draw))
    assert other != second


@pytest.mark.parametrize("isolate", [False, True])
def test_a_refusal_passes_through_and_nothing_is_listed(tmp_path, isolate):
    with pytest.raises(BadInput, match="expected something else"):
        stage(tmp_path, "s", "k", [0], computations.refuse, isolate=isolate)
    assert finished(tmp_path) == []
    assert list((tmp_path / "parts" / "s").iterdir()) == []


def test_an_error_in_a_child_is_one_here_with_its_traceback(tmp_path):
    with pytest.raises(RuntimeError, match="(?s)s part 0 failed in its process:.*in fail.*ZeroDivisionError"):
        stage(tmp_path, "s", "k", [0], computations.fail, isolate=True)
    assert list((tmp_path / "parts" / "s").iterdir()) == []


def test_a_killed_child_is_said_to_be_killed(tmp_path):
    with pytest.raises(TryAgain, match=r"ended by SIGKILL \(often too little memory\)"):
        stage(tmp_path, "s", "k", [0], computations.die, isolate=True)


@pytest.mark.parametrize("isolate", [False, True])
def test_a_part_tells_how_far_it_is_from_its_own_process_too(tmp_path, isolate):
    told = []
    stage(tmp_path, "s", "k", [0], computations.tell, isolate=isolate, tick=lambda *of: told.append(of))
    assert sum(n for n, _ in told) == 100
    assert told[-1][1] == "the second half"


def gone(pid: int, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


SCRIPT = """
import sys
from pathlib import Path
from attribution.errors import WhenceError
from indexer.journal.stages import stage
from indexer.journal.lock import lock, stop_on_signal
from tests.indexer.journal.computations import sleep
if __name__ == "__main__":
    folder = Path(sys.argv[1])
    try:
        with lock(folder), stop_on_signal():
            stage(folder, "s", "k", [sys.argv[2]], sleep, isolate=True)
    except WhenceError as error:
        print(error)
        sys.exit(error.exit_code)
"""


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 75), (signal.SIGINT, 75), (signal.SIGKILL, -9)])
def test_a_stopped_indexer_takes_its_child_along(tmp_path, how, code):
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, str(tmp_path / "script.py"), str(tmp_path / "build"), str(tmp_path / "pid")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as indexer:
        while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
            assert indexer.poll() is None
            time.sleep(0.02)
        child = int((tmp_path / "pid").read_text())
        indexer.send_signal(how)
        said, _ = indexer.communicate(timeout=60)
    assert indexer.returncode == code
    assert gone(child)
    if code == 75:
        assert said.startswith(f"stopped by {how.name}; what was finished is kept")
        assert list((tmp_path / "build" / "parts" / "s").iterdir()) == []


def test_a_key_is_of_content_and_takes_no_object_by_its_address():
    assert key(a=1, b="x") == key(b="x", a=1) != key(a=1, b="y")
    assert key(path=Path("a/b")) == key(path="a/b")
    with pytest.raises(TypeError, match="cannot be part of a key"):
        key(a=object())


@pytest.mark.parametrize("name", ["", "..", "a/b", "/etc", "a\x00b", "-x", "a b", "x" * 101])
def test_a_stage_has_a_plain_name(tmp_path, name):
    with pytest.raises(BadInput, match="expected a stage named by letters"):
        stage(tmp_path, name, "k", [0], computations.draw)
    assert list(tmp_path.iterdir()) == []
