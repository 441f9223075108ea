"""What is installed: the four packages with what they read, under one version, and nothing else."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import indexer
import whence
from indexer.config.installed import KRONFLUENCE
from indexer.config.versions import VERSIONS

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = ("attribution", "indexer", "dashboard", "whence")


def files(*endings: str) -> set[str]:
    found = {path for package in PACKAGES for path in (ROOT / package).rglob("*")}
    return {path.relative_to(ROOT).as_posix() for path in found if path.name.endswith(endings)}


def test_the_version_has_one_home() -> None:
    attribute = PROJECT["tool"]["setuptools"]["dynamic"]["version"]["attr"]
    assert attribute == "indexer.__version__"
    assert whence.__version__ == VERSIONS["whence"] == indexer.__version__
    told = re.compile(rf"[\"']{re.escape(indexer.__version__)}[\"']")
    homes = [path for path in sorted(files(".py")) if told.search((ROOT / path).read_text(encoding="utf-8"))]
    assert homes == ["indexer/__init__.py"]


def test_the_kronfluence_that_is_told_is_the_one_that_setup_installs() -> None:
    required = (ROOT / "requirements-kronfluence.txt").read_text(encoding="utf-8").partition("#")[0].strip()
    assert required == KRONFLUENCE
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert f"pip install --no-deps {KRONFLUENCE} " in page


def test_every_package_says_that_it_is_typed() -> None:
    assert files("py.typed") == {f"{package}/py.typed" for package in PACKAGES}


@pytest.mark.slow
def test_the_wheel_holds_the_packages_and_nothing_else(tmp_path: Path) -> None:
    """Built without network, from a copy: a build writes beside its sources."""
    source = tmp_path / "source"
    source.mkdir()
    for name in (*PACKAGES, "data", "tests"):
        shutil.copytree(ROOT / name, source / name, ignore=_only_code)
    for path in [
        *ROOT.glob("requirements*.txt"),
        *(ROOT / name for name in ("pyproject.toml", "README.md", "LICENSE")),
    ]:
        shutil.copy(path, source)
    command = [sys.executable, "-m", "pip", "wheel", ".", "--no-deps", "--no-build-isolation", "--no-index", "-w"]
    done = subprocess.run([*command, tmp_path], cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    [wheel] = tmp_path.glob("whence-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        held = set(opened.namelist())
        [about] = [name for name in held if name.endswith(".dist-info/METADATA")]
        metadata = opened.read(about).decode()
        scripts = opened.read(about.replace("METADATA", "entry_points.txt")).decode()
    info = about.removesuffix("METADATA")
    assert {name for name in held if not name.startswith(info)} == files(".py", ".js", ".css", ".svg", "py.typed")
    assert f"\nVersion: {indexer.__version__}\n" in metadata
    assert "whence = whence.__main__:start" in scripts
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = {re.split(r"[<>=!~ ]", line)[0].lower() for line in lines if line and not line.startswith("#")}
    needed = re.findall(r"^Requires-Dist: ([\w-]+)[^;\n]*$", metadata, flags=re.MULTILINE)
    assert {name.lower() for name in needed} == wanted


def _only_code(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", "build", "models", ".packages") or "." in name[:1]}
