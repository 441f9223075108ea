"""EDGE: build, publish and collect in a loop under a dashboard with two sessions that click: no error, bounded memory.

Half an hour (`WHENCE_SOAK_MINUTES` for another time); prints the dashboard's memory as it goes.
"""

import multiprocessing
import os
import random
import time
from pathlib import Path

import pytest

from indexer.database.check import check
from indexer.database.repair import collect
from indexer.database.snapshot_file import read_current, snapshots
from indexer.journal.lock import lock
from tests.browser.conftest import serve
from tests.browser.visit import Visit
from tests.synthetic_database import build_synthetic

pytestmark = [pytest.mark.browser, pytest.mark.slow]

MINUTES = float(os.environ.get("WHENCE_SOAK_MINUTES", "30"))
GROWTH = 1.5  # allowed, from a third of the time on
PATIENCE = 300_000  # milliseconds for one click or reload: others may work on the machine for half an hour


def rebuild_for_ever(folder: Path) -> None:
    seed = 0
    while True:
        seed += 1
        with lock(folder):
            build_synthetic(folder, seed=seed % 7)
            collect(folder, keep=2)
        time.sleep(1)


def memory(port: str) -> float:
    """MiB of the dashboard's process that listens on the port."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().split(b"\0")
            if b"dashboard" in command and port.encode() in command:
                return int((process / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        except OSError:
            continue
    raise AssertionError("the dashboard has ended")


def test_nothing_breaks_and_nothing_grows(chromium: object, tmp_path: Path) -> None:
    folder = tmp_path / "build"
    build_synthetic(folder)
    publisher = multiprocessing.get_context("spawn").Process(target=rebuild_for_ever, args=(folder,), daemon=True)
    rng, measured = random.Random(0), []
    for address in serve(folder, tmp_path / "server.log"):
        visits = [Visit(chromium, address), Visit(chromium, address)]
        for visit in visits:
            visit.page.set_default_timeout(PATIENCE)
            visit.open("/")
        publisher.start()
        begun = said = time.monotonic()
        clicks = 0
        while time.monotonic() - begun < MINUTES * 60:
            for visit in visits:
                tokens = visit.page.locator("[role=option]")
                tokens.nth(rng.randrange(tokens.count())).click()
                visit.settle()
                assert visit.page.locator("[data-testid=stException], [data-testid=stAlertContentError]").count() == 0
                clicks += 1
                if clicks % 40 == 0:
                    visit.page.reload()
                    visit.page.wait_for_selector("[role=option]")  # a page that is not connected yet looks settled
                    visit.settle()
            if time.monotonic() - said > 30:
                said = time.monotonic()
                measured.append(memory(address.rsplit(":", 1)[1]))
                current = read_current(folder)
                generation = current.generation if current else "?"
                print(f"{said - begun:6.0f} s  {clicks:5} clicks  generation {generation}  {measured[-1]:6.0f} MiB")
        publisher.kill()
        publisher.join()
        for visit in visits:
            visit.close()
    build_synthetic(folder)
    assert check(folder) == []
    assert len(snapshots(folder)) <= 4
    settled = measured[len(measured) // 3 :]
    assert max(settled) <= GROWTH * settled[0], measured
