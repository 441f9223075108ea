"""Sets and the what-if box by hand: a point of the curve, a group, the keyboard; a text is changed and answered for."""

from pathlib import Path

import pytest

from indexer.database.reader import Database
from tests.browser.visit import Visit

pytestmark = pytest.mark.browser
OLD, NEW = "The capital of France is Paris.", "The capital of France is Marseille, they say."


def test_a_group_leads_to_its_documents_and_a_document_to_its_page(visit: Visit) -> None:
    visit.open("/sets", ".card")
    visit.page.locator("button.bar", has_text="Factbook").click()
    visit.page.wait_for_url("**/corpus?*source=Factbook*")
    visit.settle()
    visit.page.go_back()
    visit.page.wait_for_url("**/sets**")
    visit.page.wait_for_selector(".card .page")
    visit.settle()
    card = visit.page.locator(".card").first
    document_id = card.get_attribute("data-id")
    card.locator(".page").click()
    visit.page.wait_for_url(f"**/corpus?*document={document_id}*")
    visit.settle()


def test_keys_change_the_size_and_the_side_keeps_the_set(visit: Visit) -> None:
    visit.open("/sets?set=capitals-not-london&size=synth-s", ".card")
    visit.page.keyboard.press("]")
    visit.page.wait_for_url("**size=synth-m*")
    visit.settle()
    visit.page.get_by_role("radio", name="Push away").click()
    visit.page.wait_for_url("**side=away*")
    visit.until(lambda: visit.page.locator(".card .score").first.inner_text().startswith("−"))
    assert "set=capitals-not-london" in visit.page.url and "size=synth-m" in visit.page.url
    assert visit.no_sideways_scroll()


def test_a_point_of_the_curve_says_what_its_documents_carry(visit: Visit) -> None:
    visit.open("/sets", ".card")
    visit.page.wait_for_selector(".scatterlayer .point")
    visit.settle()
    visit.page.locator(".scatterlayer .trace").last.locator(".point").nth(5).click(force=True)
    visit.until(lambda: visit.page.get_by_text("the first 6 documents of 60").count() == 1)  # it alone
    assert visit.page.get_by_text("synth-l: the first 6 documents of 60 (10.0 %)").count() == 1


def test_a_text_is_changed_and_answered_for(visit: Visit, folder: Path) -> None:
    rows = Database(folder).current().rows("SELECT document_id FROM document WHERE text = ?", [OLD])
    document_id = rows[0]["document_id"]
    visit.open(f"/corpus?document={document_id}", ".card")
    field = visit.page.get_by_label("Text", exact=True)
    assert field.input_value() == OLD
    field.fill(" ")
    visit.page.get_by_role("button", name="What if it said this?").click()
    visit.page.get_by_text("found nothing but white space").wait_for()
    field.fill(NEW)
    visit.page.get_by_role("button", name="What if it said this?").click()
    visit.page.wait_for_url("**whatif=*")
    visit.page.get_by_text("In its place, this text would push").wait_for()
    visit.settle()
    assert [each.strip() for each in visit.page.locator("[role=option]").all_inner_texts()][0].startswith("Paris")
    visit.page.locator("[role=option]").first.focus()
    visit.page.keyboard.press("ArrowRight")
    visit.page.wait_for_url("**token=1*")
    visit.settle()
    visit.page.reload()
    visit.page.get_by_text("In its place, this text would push").wait_for()
    visit.settle()
    assert visit.page.get_by_label("Text", exact=True).input_value() == NEW
    assert visit.no_sideways_scroll()
