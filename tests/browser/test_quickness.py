"""A 400-token answer answers clicks: at once on the page, soon from the server.

The aims (50 ms locally, all panels 800 ms median and 1.5 s p90, 6 s from the start) hold on an idle machine;
`python -m pytest -s` prints what was measured. The test allows five times as much, since other processes may share
the machine.
"""

import random
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import tests.synthetic_database as synthetic
from tests.browser.conftest import serve
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser

CLICK = """async (i) => {
    const find = (selector) => {
        const roots = [...document.querySelectorAll('*')].map((node) => node.shadowRoot).filter(Boolean);
        return roots.flatMap((root) => [...root.querySelectorAll(selector)]);
    };
    const token = find('[role=option]')[i];
    const app = document.querySelector('[data-testid=stApp]');
    const list = find('.list')[0];
    const redrawn = new Promise((resolve) => {
        const observer = new MutationObserver(() => { observer.disconnect(); resolve(performance.now()); });
        observer.observe(list, { childList: true });
        setTimeout(() => resolve(null), 20000);
    });
    const begun = performance.now();
    token.click();
    await new Promise((resolve) => requestAnimationFrame(resolve));
    const local = performance.now();
    if (token.getAttribute('aria-selected') !== 'true') return [null, null, null];
    const documents = await redrawn;
    if (documents === null) return [null, null, null];
    while (app.dataset.testScriptState !== 'notRunning')  // the last panel was sent, and drawn in the frame after it
        await new Promise((resolve) => requestAnimationFrame(resolve));
    await new Promise((resolve) => requestAnimationFrame(resolve));
    return [local - begun, documents - begun, performance.now() - begun];
}"""


def clicks(visit: Visit, tokens: Sequence[int], n: int) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds until n clicks, on some of these tokens, were seen, their documents drawn, and all panels."""
    measured = []
    for i in random.Random(0).choices(tokens, k=n) if len(tokens) < n else random.Random(0).sample(tokens, n):
        visit.page.keyboard.press("Escape")  # a second click on a token would take something else
        visit.until(lambda: "token=" not in visit.page.url)
        visit.settle()
        measured.append(visit.page.evaluate(CLICK, i))
        visit.settle()
    local, listed, answered = zip(*measured, strict=True)
    assert None not in local + listed + answered
    return list(local), list(listed), list(answered)


@pytest.fixture(scope="module")
def long_answers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("long")
    words = " ".join(f"word{i % 97}" for i in range(392))
    facts = [(country, capital, f"{words} {i}") for i, (country, capital, _) in enumerate(synthetic.FACTS)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "FACTS", facts[:11])
        patch.setattr(synthetic, "SIZES", {"synth-s": (2, 60_000)})
        synthetic.build_synthetic(folder)
    return folder


def test_clicks_on_a_long_answer(chromium: object, long_answers: Path, tmp_path: Path) -> None:
    begun = time.monotonic()
    server: Iterator[str] = serve(long_answers, tmp_path / "log")
    visit = Visit(chromium, next(server))
    visit.page.goto(visit.address)
    visit.page.wait_for_selector("[role=option]")
    start = time.monotonic() - begun
    visit.settle()
    n_tokens = visit.page.locator("[role=option]").count()
    assert n_tokens >= 400
    local, listed, answered = clicks(visit, range(1, n_tokens), 20)
    said = f"start to first token {start:.1f} s; click seen {statistics.median(local):.0f} ms; documents "
    said += f"{statistics.median(listed):.0f} ms; all panels {statistics.median(answered):.0f} ms median, "
    said += f"{sorted(answered)[17]:.0f} ms p90"
    print(said)
    visit.close()
    next(server, None)
    assert start < 30 and statistics.median(local) < 250 and statistics.median(answered) < 4000, said
