"""EDGE: a server in a process of its own, and a real Chromium that may talk to it and to nobody else."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from tests.browser.visit import CHROMIUM_FLAGS, Visit  # noqa: E402
from tests.synthetic_database import build_synthetic  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("build")
    build_synthetic(path)
    return path


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("chromium is not installed; `apt-get install chromium` (.ci/run does)")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from serve(folder, tmp_path_factory.mktemp("log") / "server.log")


@pytest.fixture
def visit(chromium: object, server: str) -> Iterator[Visit]:
    """A fresh context on the server; at the end, nothing may have left the machine and nothing complained."""
    visit = Visit(chromium, server)
    yield visit
    visit.close()


def serve(folder: Path, log: Path, *options: str, module: str = "dashboard", **environment: str) -> Iterator[str]:
    """The address of a dashboard on `folder`, until the fixture ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", module, str(folder), "--port", str(port), *options]
    given = os.environ | {"WHENCE_ASK": "tests.browser.stub_ask:run"} | environment
    with log.open("w") as out, subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=out, env=given) as process:
        address = f"http://127.0.0.1:{port}"
        try:
            _wait(address, process)
            yield address
        finally:
            process.terminate()
            process.wait(60)  # others may work on the machine
    assert "Traceback" not in log.read_text(), log.read_text()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:  # noqa: S310
                if answer.status == 200:
                    return
        except urllib.error.HTTPError:
            return  # it is there, and refuses us
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
