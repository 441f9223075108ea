"""Every test of the repository is collected: pytest passes over some folders by their names, `build` among them."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def collected(root: Path) -> set[str]:
    """Test files from which `pytest`, called without arguments, collects at least one test."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    return {line.split(":")[0].split("::")[0] for line in done.stdout.splitlines() if line.startswith("tests/")}


def written(root: Path) -> set[str]:
    found = (
        path.relative_to(root) for folder in root.iterdir() if folder.is_dir() for path in folder.rglob("test_*.py")
    )
    return {path.as_posix() for path in found if not any(part.startswith(".") for part in path.parts)}


def test_every_test_file_is_collected():
    assert written(ROOT) - collected(ROOT) == set()


def test_one_in_a_folder_that_pytest_passes_over_is_seen(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[tool.pytest.ini_options]\ntestpaths = ['tests']\n")
    for folder in ("tests/build", "tests/built"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"test_{folder[-5:]}.py").write_text("def test_it():\n    pass\n")
    assert written(tmp_path) - collected(tmp_path) == {"tests/build/test_build.py"}
