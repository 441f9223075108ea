"""Asking: one prompt in all sizes in one, a question over documents in the form, and what stays when time runs out."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.conftest import serve
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser


@pytest.fixture
def hurried(folder: Path, tmp_path: Path) -> Iterator[str]:
    """A server on which the time of a question is up after a second."""
    yield from serve(folder, tmp_path / "log", module="tests.browser.hurried")


def test_my_prompt_in_all_sizes_is_one_question(visit: Visit) -> None:
    visit.open("/compare", "table button")
    visit.page.get_by_label("Ask a new prompt").fill("The capital of France is")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_url("**/compare?job=*")
    for size in ("synth-s", "synth-m", "synth-l"):
        visit.page.wait_for_selector(f"table >> text={size}")
    visit.page.get_by_label("Size of this page").click()
    visit.page.get_by_role("option", name=re.compile("^synth-m")).click()
    visit.page.wait_for_selector("[role=option]:has-text('Paris')")
    assert "/compare" not in visit.page.url


def test_a_question_over_documents_is_written_into_a_form_and_cited(visit: Visit) -> None:
    visit.open("/context")
    visit.page.get_by_text("Ask about documents of your own").click()
    for field, words in (
        ("Question", "What is the capital of Peru?"),
        ("Title 1", "Peru"),
        ("Document 1", "It is Lima. Llamas live there."),
        ("Document 2", "It is Oslo <script>alert(1)</script>."),
    ):
        visit.page.get_by_label(field, exact=True).fill(words)
        visit.page.keyboard.press("Tab")
    visit.page.get_by_role("button", name="Ask these documents").click()
    visit.page.wait_for_url("**job=*")
    cards = visit.page.locator(".card .title")
    visit.until(lambda: cards.all_inner_texts() == ["Peru", "document 2"])
    visit.page.wait_for_selector("text=first for Leave one out")
    sentences = visit.page.locator(".card .line")  # of both documents, each with its share
    assert sentences.all_inner_texts() == [
        "100.0 %\n\nIt is Lima.",
        "0.0 %\n\nLlamas live there.",
        "0.0 %\n\nIt is Oslo <script>alert(1)</script>.",
    ]
    assert visit.no_sideways_scroll()
    visit.page.get_by_label("Question", exact=True).fill("Something else?")
    visit.page.keyboard.press("Tab")
    visit.page.get_by_role("button", name="Change these documents").click()
    question = visit.page.get_by_label("Question", exact=True)
    visit.until(lambda: question.input_value() == "What is the capital of Peru?")
    assert visit.page.get_by_label("Title 1", exact=True).input_value() == "Peru"
    assert visit.page.get_by_label("Title 2", exact=True).input_value() == ""
    assert visit.page.get_by_label("Document 1", exact=True).input_value() == "It is Lima. Llamas live there."
    assert visit.page.get_by_label("Document 2", exact=True).input_value() == "It is Oslo <script>alert(1)</script>."


def test_when_time_runs_out_what_is_known_stays_and_goes_on(chromium: object, hurried: str) -> None:
    visit = Visit(chromium, hurried)
    visit.open("/")
    visit.page.get_by_label("Ask a new prompt").fill("Three seconds of France")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector("text=It was stopped after 1 s.")
    visit.page.wait_for_selector("text=Not computed: the exact scores of training documents")
    options = visit.page.locator("[role=option]")
    assert options.all_inner_texts() == ["Paris", ".", "end of text"]
    visit.page.get_by_role("button", name="Go on, with more time").click()
    visit.until(lambda: visit.page.locator("text=It was stopped after").count() == 0)
    visit.until(lambda: options.all_inner_texts() == ["Paris", ".", "end of text"])  # while it goes on, or when done
    visit.until(lambda: visit.page.get_by_role("button", name="Cancel").count() == 0)
    visit.until(lambda: options.all_inner_texts() == ["Paris", ".", "end of text"])
    assert visit.page.locator("text=found none").count() == 0
    visit.close()
