"""Questions of several visitors: reloads and others share one computation, a closed page ends its own."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser.conftest import serve
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture
def counted(folder: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    log = tmp_path / "asked"
    log.touch()
    named = {"WHENCE_ASK": "tests.browser.counting_ask:run", "WHENCE_TEST_LOG": str(log)}
    for address in serve(folder, tmp_path / "log", **named):
        yield address, log


def ask(visit: Visit, prompt: str) -> None:
    visit.open("/")
    visit.page.get_by_label("Ask a new prompt").fill(prompt)
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**job=*")


def until(log: Path, line: str, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while line not in log.read_text().splitlines():
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)


def test_reloads_and_other_visitors_share_one_computation(chromium: object, counted: tuple[str, Path]) -> None:
    address, log = counted
    first = Visit(chromium, address)
    ask(first, "The capital of France is")
    for _ in range(3):
        first.page.reload()
    other = Visit(chromium, address)
    other.page.goto(first.page.url)  # the link, sent to a colleague
    third = Visit(chromium, address)
    ask(third, "The capital of France is")
    for visit in (first, other, third):
        visit.page.wait_for_selector("[role=option]:has-text('Paris')")
    ask(third, "The capital of France is")  # once more, when it is known
    third.page.wait_for_selector("[role=option]:has-text('Paris')")
    assert log.read_text().splitlines() == ["begin The capital of France is", "end The capital of France is"]
    for visit in (first, other, third):
        visit.close()


def test_two_dashboards_on_one_database_both_read_and_ask_one_at_a_time(
    chromium: object, folder: Path, tmp_path: Path
) -> None:
    log = tmp_path / "asked"
    named = {"WHENCE_ASK": "tests.browser.counting_ask:in_turn", "WHENCE_TEST_LOG": str(log)}
    serving = contextmanager(serve)
    with (
        serving(folder, tmp_path / "one", **named) as one,
        serving(folder, tmp_path / "other", **named) as other,
    ):
        visits = Visit(chromium, one), Visit(chromium, other)
        for visit, prompt in zip(visits, ("The capital of France is", "The capital of Peru is"), strict=True):
            ask(visit, prompt)
        for visit in visits:
            visit.page.wait_for_selector("[role=option]:has-text('Paris')")
            visit.open("/corpus?search=capital", "text=The capital of")  # and reads on
            visit.close()
    lines = [line.partition(" ") for line in log.read_text().splitlines()]
    assert [what for what, *_ in lines] == ["begin", "end", "begin", "end"]
    assert lines[0][2] == lines[1][2] != lines[2][2] == lines[3][2]


def test_a_cancelled_question_ends_and_the_next_is_answered(chromium: object, counted: tuple[str, Path]) -> None:
    address, log = counted
    visit = Visit(chromium, address)
    ask(visit, "Slow question")
    until(log, "begin Slow question")
    visit.page.get_by_role("button", name="Cancel").click()
    until(log, "cancelled Slow question", 10)
    ask(visit, "The capital of France is")
    visit.page.wait_for_selector("[role=option]:has-text('Paris')")
    visit.close()


def test_one_visitor_has_two_questions_at_a_time(chromium: object, counted: tuple[str, Path]) -> None:
    address, log = counted
    visit = Visit(chromium, address)
    ask(visit, "Slow question")
    for number, told in ((2, ""), (3, "at most 2 questions")):
        visit.page.get_by_label("Ask a new prompt").fill(f"Slow question {number}")
        visit.page.keyboard.press("Enter")
        if told:
            visit.page.wait_for_selector(f"text={told}")
        else:
            visit.page.wait_for_selector("text=before it in the queue")
    visit.close()
    assert "Slow question 3" not in log.read_text()


@pytest.mark.slow
def test_a_closed_page_ends_its_question(chromium: object, counted: tuple[str, Path]) -> None:
    """Nothing says goodbye: after 30 seconds of silence a visitor has left."""
    address, log = counted
    visit = Visit(chromium, address)
    ask(visit, "Slow question")
    until(log, "begin Slow question")
    visit.close()
    begun = time.monotonic()
    until(log, "cancelled Slow question", 60)
    assert time.monotonic() - begun < 45
