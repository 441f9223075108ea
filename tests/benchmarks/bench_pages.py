"""EDGE: how long Runs and Corpus take to turn a page: `python -m tests.benchmarks pages [FOLDER]`.

Of a build or, where none is given, of the drawn database of so many rows of influence (`--rows`) over so many
documents (`--documents`). In a real Chromium: milliseconds until the first page stands there on a server that has
answered nothing yet, then from a click on "next page" until all of the next one is drawn, median and slowest, and what
the processor has worked for the server in the median one: on a busy machine the clock says little. The aim is 300 ms,
median, for a click.
"""

import argparse
import math
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.browser.visit import Visit

AIM, CLICKS = 300, 15
NEXT = "[data-testid=stPaginationNext]"
PAGES = {  # what is opened -> address, what has to be there
    "Runs": ("/runs", "table button[data-id]"),
    "Corpus, most influential": ("/corpus", ".card"),
    "Corpus, by self-influence": ("/corpus?sort=self_influence", ".card"),
    "Corpus, of a source": ("/corpus?sort=self_influence&source={source}", ".card"),
}
SEARCHED = {"Corpus, a search": ("/corpus?search=capital+city", ".card")}  # where there is a text index
CLICK = """async () => {
    const app = document.querySelector('[data-testid=stApp]'), next = document.querySelector('NEXT');
    if (!next || next.disabled) return null;
    const ran = new Promise((resolve) => {
        const observer = new MutationObserver(() => {
            if (app.dataset.testScriptState !== 'running') return;
            observer.disconnect();
            resolve(performance.now());
        });
        observer.observe(app, { attributes: true });
        setTimeout(() => resolve(null), 20000);
    });
    const begun = performance.now();
    next.click();
    if (await ran === null) return null;
    while (app.dataset.testScriptState !== 'notRunning')
        await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    return performance.now() - begun;
}""".replace("NEXT", NEXT)


def main(arguments: Sequence[str] | None = None) -> int:
    """0, or 1 where a page takes longer than the aim."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", help="output folder of a build; left out: a drawn database")
    parser.add_argument("--rows", type=int, default=1_000_000, help="of influence in the drawn database")
    parser.add_argument("--documents", type=int, default=100_000, help="of the drawn database")
    chosen = parser.parse_args(arguments)
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None or (chosen.folder is not None and not chosen.folder.exists()):
        print(f"left out: expected chromium and a build in {chosen.folder}; install the one, build the other")
        return 0
    from playwright.sync_api import sync_playwright  # late: what is left out needs none

    from dashboard.database.queries.filters import document_sources
    from indexer.database.reader import Database
    from indexer.journal.stages import finished
    from tests.benchmarks.large_database import build_large
    from tests.browser.conftest import serve
    from tests.browser.visit import CHROMIUM_FLAGS, Visit

    with ExitStack() as held:
        scratch = Path(held.enter_context(tempfile.TemporaryDirectory()))
        folder = chosen.folder
        if folder is None:
            folder = scratch / "build"
            folder.mkdir()
            build_large(folder, chosen.rows, chosen.documents)
        source = document_sources(Database(folder).current())[0]
        driver = held.enter_context(sync_playwright())
        browser = driver.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        pages = PAGES | (SEARCHED if finished(folder, "text") else {})
        print(f"{'page':28}{'first ms':>10}{'median ms':>11}{'slowest ms':>12}{'work ms':>10}")
        slow = 0
        for name, (address, until) in pages.items():
            server = serve(folder, scratch / "log")  # a new one, which remembers nothing
            visit = Visit(browser, next(server))
            begun = time.monotonic()
            visit.open(address.format(source=source), until)
            first = 1000 * (time.monotonic() - begun)
            turned = turns(visit, CLICKS) or [(float("nan"), float("nan"))]
            visit.close()
            next(server, None)
            took, work = (statistics.median(of) for of in zip(*turned, strict=True))
            slow += (too_slow := took > AIM)
            mark = "  one page only" if math.isnan(took) else ""
            mark = f"  <- over {AIM}" if too_slow else mark
            slowest = max(of for of, _ in turned)
            print(f"{name:28}{first:10.0f}{took:11.0f}{slowest:12.0f}{work:10.0f}{mark}", flush=True)
    return int(slow > 0)


def turns(visit: "Visit", n: int) -> list[tuple[float, float]]:
    """Milliseconds of up to n clicks on "next page", and what the server worked for each; [] where all is one page."""
    measured = []
    for _ in range(n):
        visit.settle()
        before = worked()
        found = visit.page.evaluate(CLICK)
        if found is None:
            break
        measured.append((float(found), worked() - before))
    return measured


def worked() -> float:
    """Milliseconds that the processor has worked for the dashboards which this process has started."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            of = path.read_text().rpartition(")")[2].split()
            asked = path.with_name("cmdline").read_text()
        except OSError:  # it has ended meanwhile
            continue
        if int(of[1]) == os.getpid() and "\0dashboard\0" in asked:
            ticks += int(of[11]) + int(of[12])
    return 1000 * ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    sys.exit(main())
