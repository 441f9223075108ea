"""EDGE: how long Explain takes with all panels after a click: `python -m tests.benchmarks.bench_click [FOLDER]`.

Opens the dashboard on a build in a real Chromium and clicks words and tokens of the example; prints milliseconds until
the click is seen, its documents stand there, and all panels do. The aim is 800 ms, median, for the last.
"""

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

AIM, CLICKS = 800, 20


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where it takes longer than the aim."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path("data/demo/build"), help="output folder of a build"
    )
    chosen = parser.parse_args(arguments)
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None or not chosen.folder.exists():
        print(f"left out: expected chromium and a build in {chosen.folder}; install the one, `make build` the other")
        return 0
    from playwright.sync_api import sync_playwright  # late: what is left out needs none

    from tests.browser.conftest import serve
    from tests.browser.test_quickness import clicks
    from tests.browser.visit import CHROMIUM_FLAGS, Visit

    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        server = serve(chosen.folder, Path(folder) / "log")
        visit = Visit(driver.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS), next(server))
        visit.open("/")
        tokens = range(visit.page.locator("[role=option]").count())
        seen, listed, panels = (statistics.median(each) for each in clicks(visit, tokens, CLICKS))
        visit.close()
        next(server, None)
    print(f"click seen {seen:.0f} ms, documents {listed:.0f} ms, all panels {panels:.0f} ms median (aim {AIM} ms)")
    return int(panels > AIM)


if __name__ == "__main__":
    sys.exit(main())
