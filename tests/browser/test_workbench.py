"""Runs as a workbench, the page of a word and the citation, by mouse: every number is that of the database."""

import json
from pathlib import Path

import pytest

from indexer.database.reader import Database, Snapshot
from tests.browser.test_export import download
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
TABLE = "table button[data-id]"


@pytest.fixture(scope="module")
def snapshot(folder: Path) -> Snapshot:
    return Database(folder).current()


def test_filter_a_word_open_its_page_and_one_of_its_answers(visit: Visit, snapshot: Snapshot) -> None:
    [of] = snapshot.rows(r"""SELECT count(*) AS answers, count(DISTINCT prompt_id) AS prompts,
            sum(len(regexp_extract_all(text, '\bTokyo\b')))::BIGINT AS times
        FROM generation WHERE contains(text, 'Tokyo')""")
    visit.open("/runs", TABLE)
    visit.page.get_by_label("Filter by token").fill("Tokyo")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(f"text=“Tokyo” stands in them {of['times']} times.")
    visit.settle()
    assert visit.page.locator("tbody tr").count() == of["prompts"]
    assert visit.page.locator(".mark").all_inner_texts() == ["Tokyo"] * of["times"]
    visit.page.get_by_role("button", name="All about “Tokyo”").click()
    visit.page.wait_for_url("**/tokens?filter=Tokyo*")
    visit.page.wait_for_selector(f"text=Written {of['times']} times in {of['answers']} answers; as a word, ")
    visit.page.wait_for_selector(TABLE)
    visit.settle()
    size = visit.page.locator("button[aria-checked=true], button[kind=segmented_controlActive]").first.inner_text()
    [top] = snapshot.rows(
        """SELECT document_id FROM span_influence JOIN span USING (generation_id, span)
        JOIN generation USING (generation_id) JOIN model USING (model_id)
        WHERE kind = 'word' AND name = ? AND substr(text, start + 1, stop - start) = 'Tokyo'
        GROUP BY document_id ORDER BY sum(score) DESC LIMIT 1""",
        [size],
    )
    assert visit.page.locator(".card").first.get_attribute("data-id") == top["document_id"]
    visit.page.locator(TABLE).first.click()
    visit.page.wait_for_url("**token=*")
    visit.page.wait_for_selector("[role=option][aria-selected=true]:has-text('Tokyo')")


def test_where_sizes_disagree_sorted_and_saved(visit: Visit, snapshot: Snapshot, tmp_path: Path) -> None:
    visit.open("/runs", TABLE)
    visit.page.get_by_role("button", name="Sizes disagree").click()
    visit.page.wait_for_url("**only=sizes*")
    rows = snapshot.rows("""SELECT generation_id, prompt_id, name, generation.text FROM generation
        JOIN answer_kind USING (generation_id) JOIN model USING (model_id) WHERE sizes_disagree""")
    prompts = {row["prompt_id"] for row in rows}
    visit.page.wait_for_selector(f"text={len(prompts)} prompts, {len(rows)} answers.")
    visit.page.locator("th button", has_text="synth-s").click()
    visit.page.wait_for_url("**of=synth-s*")
    visit.page.wait_for_selector("th[aria-sort=ascending]")
    visit.settle()
    texts = sorted(row["text"].strip() for row in rows if row["name"] == "synth-s")
    shown = visit.page.locator("tbody td:nth-child(2) .answer")
    assert [text.strip() for text in shown.all_inner_texts()] == texts
    visit.page.locator("th button", has_text="synth-s").click()
    visit.page.wait_for_selector("th[aria-sort=descending]")
    visit.settle()
    assert [text.strip() for text in shown.all_inner_texts()] == texts[::-1]
    saved = download(visit, "A row a line (JSON Lines)", tmp_path / "rows.jsonl").read_text().splitlines()
    assert {json.loads(line)["generation_id"] for line in saved} == {row["generation_id"] for row in rows}
    assert json.loads(saved[0])["link"].startswith(f"{visit.address}/?generation=")


def test_a_document_under_an_answer_is_copied_as_a_citation(visit: Visit) -> None:
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.open("/")
    card = visit.page.locator(".card").first
    card.hover()
    card.get_by_role("button", name="as a citation").click()
    visit.page.wait_for_selector("text=Copied")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert card.locator(".title").inner_text() in copied and card.locator(".score").inner_text() in copied
    assert copied.endswith(f"document={card.get_attribute('data-id')}")
    other = copied.rpartition(" ")[2]
    visit.open(other.removeprefix(visit.address), ".card[aria-current=true]")
