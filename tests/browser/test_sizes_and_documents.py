"""Journeys of who compares sizes: the fork, the numbers of a word against SQL, and a document's answers as a file."""

import csv
import re
from pathlib import Path

import pytest

from indexer.database.reader import Database
from tests.browser.test_export import download
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser

TOP = """SELECT document_id, score, title FROM span_influence JOIN span USING (generation_id, span)
    JOIN document USING (document_id) JOIN run USING (run_id)
    WHERE generation_id = ? AND first = ? AND kind = 'word' AND score > 0 ORDER BY rank LIMIT 10"""


def test_compare_opens_at_the_fork_and_its_numbers_equal_sql(visit: Visit, folder: Path) -> None:
    snapshot = Database(folder).current()
    prompts = snapshot.rows(
        """SELECT prompt_id, list(generation_id ORDER BY n_params) AS ids, list(name ORDER BY n_params) AS names
        FROM generation JOIN model USING (model_id) GROUP BY prompt_id ORDER BY prompt_id"""
    )
    words = (
        "SELECT substr(text, start + 1, stop - start) AS word, first FROM span JOIN generation USING (generation_id)"
    )
    for prompt in prompts:
        written = [
            snapshot.rows(f"{words} WHERE generation_id = ? AND kind = 'word' ORDER BY span", [each])  # noqa: S608
            for each in prompt["ids"]
        ]
        columns = range(min(map(len, written)))
        fork = next((i for i in columns if len({of[i]["word"] for of in written}) > 1), 0)
        if fork:
            break
    visit.open(f"/compare?generation={prompt['ids'][1]}", "table button")
    pressed = visit.page.locator("td button[aria-pressed=true]")
    assert [each.get_attribute("data-column") for each in pressed.all()] == [str(fork)] * 3
    assert f"token={written[1][fork]['first']}" in visit.page.url
    joined = visit.page.get_by_role("table", name="Documents of all sizes, joined")
    for i, generation_id in enumerate(prompt["ids"]):
        top = snapshot.rows(TOP, [generation_id, written[i][fork]["first"]])
        carried = sum(row["score"] for row in top)
        cells = joined.locator(f"td.cell[data-size='{prompt['names'][i]}']").all_inner_texts()
        shown = {int(found[1]): found[2] for each in cells if (found := re.match(r"no\. (\d+) · ([\d.]+) %", each))}
        assert shown and all(
            abs(float(share) - 100 * top[rank - 1]["score"] / carried) <= 0.051 for rank, share in shown.items()
        )
    other = visit.page.locator("td button[data-column='0']").nth(2)
    other.click()
    visit.page.wait_for_url(f"**generation={prompt['ids'][2]}*")
    visit.settle()


def test_a_document_s_answers_are_exported(visit: Visit, folder: Path, tmp_path: Path) -> None:
    snapshot = Database(folder).current()
    [row] = snapshot.rows(
        """SELECT document_id, count(*) AS n FROM span_influence JOIN span USING (generation_id, span)
        WHERE kind = 'answer' GROUP BY document_id ORDER BY n DESC, document_id LIMIT 1"""
    )
    visit.open(f"/corpus?document={row['document_id']}&unit=answer", ".card")
    file = download(visit, "Table (CSV)", tmp_path / "answers.csv")
    with file.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == row["n"] and {each["document_id"] for each in rows} == {row["document_id"]}
    wanted = snapshot.rows(
        """SELECT generation_id, score FROM span_influence JOIN span USING (generation_id, span)
        WHERE kind = 'answer' AND document_id = ?""",
        [row["document_id"]],
    )
    found = {each["generation_id"]: float(each["influence_raw"]) for each in rows}
    assert found == pytest.approx({each["generation_id"]: each["score"] for each in wanted}, rel=1e-5)


def test_from_an_answer_to_its_document_s_heat_and_back_to_all(visit: Visit, folder: Path) -> None:
    visit.open("/")
    title = visit.page.locator(".list").first.locator(".card .title").first.inner_text()
    visit.page.get_by_role("button", name=f"Open document {title}").first.click()
    visit.page.wait_for_url("**/corpus?**heatof=*")
    visit.page.wait_for_selector("text=Tokens of a document, learning each")
    visit.settle()
    size = visit.page.locator(
        "[aria-label^='Selected'][aria-label*='Size of this page'], [aria-label='Size of this page']"
    )
    assert size.count()
    text = visit.page.get_by_role("list", name="The document").locator(".text")
    hued = text.locator("[data-hue=warm], [data-hue=cool]")
    assert hued.count()
    box = visit.page.get_by_label("Shaded by its influence on")
    box.click()
    visit.page.get_by_role("option", name="All stored answers together").click()
    visit.page.wait_for_selector("text=Size of its influence on all stored answers")
    visit.settle()
    assert "heatof" not in visit.page.url and not hued.count() and text.locator("[data-hue=strength]").count()


def test_at_390_points_an_opened_document_stands_before_the_list(chromium: object, server: str, folder: Path) -> None:
    [row] = Database(folder).current().rows("SELECT min(document_id) AS id FROM document_words")
    visit = Visit(chromium, server, viewport={"width": 390, "height": 900})
    visit.open(f"/corpus?document={row['id']}", ".card")
    visit.page.wait_for_selector("text=Close the document")
    visit.settle()
    document, first = (
        visit.page.get_by_role("list", name=name, exact=True).bounding_box() for name in ("The document", "Documents")
    )
    assert document and first and document["y"] < first["y"] and visit.no_sideways_scroll()
    visit.close()
