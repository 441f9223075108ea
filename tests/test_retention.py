"""What a run of the tests leaves on the disk: folders of tests that failed, and of nothing else."""

import subprocess
import sys
from pathlib import Path

import pytest

SETTINGS = Path(__file__).parents[1] / "pyproject.toml"
FINE = """
import pytest

@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    made = tmp_path_factory.mktemp("shared")
    (made / "large").write_text("x")
    return made

@pytest.mark.parametrize("n", range(3))
def test_fine(tmp_path, shared, n):
    (tmp_path / "large").write_text("x")
"""
WRONG = """
def test_wrong(tmp_path):
    (tmp_path / "evidence").write_text("x")
    assert False
"""


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
@pytest.mark.parametrize("wrong", [False, True], ids=["all pass", "one fails"])
def test_only_what_failed_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: list[str], wrong: bool):
    (tmp_path / "test_fine.py").write_text(FINE)
    (tmp_path / "test_other.py").write_text(WRONG if wrong else FINE)
    left = tmp_path / "left"
    left.mkdir()
    monkeypatch.setenv("PYTEST_DEBUG_TEMPROOT", str(left))
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    command = [sys.executable, "-m", "pytest", "-c", str(SETTINGS), *workers, "test_fine.py", "test_other.py"]
    ran = subprocess.run(command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert ran.returncode == int(wrong), ran.stdout + ran.stderr
    kept = {path.name for path in left.rglob("*") if path.is_file() and path.name != ".lock"}
    assert "evidence" in kept if wrong else kept == set()
    assert not list(left.rglob("test_fine*/large"))  # the folder of a test that passed
