"""Spans that stand word for word in training texts: who has them, where, and the four cases of a document."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.address.selection import Selection
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import answers
from dashboard.database.records import AsRead, Token
from dashboard.database.span_records import VerbatimSpan
from dashboard.screens.explain.copies import CASES, copied_tokens, copies, meeting, place_in
from dashboard.screens.explain.explanation import explain
from dashboard.screens.explain.page import explained_page
from dashboard.screens.explain.word_for_word import UNSCORED, case_of, cases_line, copied_cards
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


def token(position: int, text: str) -> Token:
    return Token(position, text, 0, len(text), -1.0, "", float("nan"), None, None, None, None, None)


TOKENS = [token(i, text) for i, text in enumerate([" the", " cat", " sat", " on", " the", " mat"])]


def test_spans_that_share_a_token_come_longest_first() -> None:
    spans = [VerbatimSpan(0, 2, 1, 1, ()), VerbatimSpan(1, 5, 1, 1, ()), VerbatimSpan(4, 5, 1, 1, ())]
    assert [each.first for each in meeting(spans, 2, 4)] == [1, 0, 4]
    assert meeting(spans, 0, 0) == spans[:1]
    assert meeting(None, 0, 5) == []


def test_a_token_belongs_to_the_longest_span_around_it() -> None:
    short, long = VerbatimSpan(0, 2, 1, 1, ()), VerbatimSpan(1, 5, 1, 1, ())
    assert copied_tokens([long, short]) == {0: short, **dict.fromkeys(range(1, 6), long)}


def test_of_few_places_all_are_known_and_a_text_that_only_looks_like_it_is_none() -> None:
    texts = {"a": "so the cat sat", "b": "the cat sat down"}
    few = copies([VerbatimSpan(0, 2, 1, 1, (("a", 1),))], TOKENS, texts)
    assert few.documents == {"a": "the cat sat"}
    many = copies([VerbatimSpan(0, 2, 9, 9, (("a", 1),))], TOKENS, texts)
    assert many.documents == {"a": "the cat sat", "b": "the cat sat"}


def test_a_document_is_named_with_the_longest_of_its_spans() -> None:
    long, short = VerbatimSpan(0, 4, 1, 1, (("a", 0),)), VerbatimSpan(3, 5, 1, 1, (("a", 3), ("b", 0)))
    assert copies(meeting([short, long], 0, 5), TOKENS, {}).documents == {
        "a": "the cat sat on the",
        "b": "on the mat",
    }


def test_a_span_is_marked_where_its_tokens_stand_not_where_its_words_stand_first() -> None:
    text = "on it: on it."
    read = AsRead(
        ["", "on", " it", ":", " on", " it", "."], [0, 0, 2, 5, 6, 9, 12], [0, 2, 5, 6, 9, 12, 13], [0] * 7, [True] * 7
    )
    assert place_in(read, text, "on it", 4, 2) == (7, 12)
    assert place_in(read, text, "on it", 5, 1) == (0, 5)  # a place of other words is not believed
    assert place_in(None, text, "on it", 4, 2) == (0, 5)
    assert place_in(read, text, "off it", 40, 2) is None


@pytest.fixture(scope="module")
def some(snapshot: Snapshot) -> dict[str, Any]:
    """An answer, and the only document that has some of its words."""
    [row] = snapshot.rows("""SELECT generation_id, first, last, document_id, run_id FROM verbatim
        JOIN verbatim_place USING (generation_id, first) JOIN generation USING (generation_id)
        JOIN run USING (model_id) JOIN model USING (model_id)
        WHERE name = 'synth-m' AND n_places = 1 ORDER BY generation_id LIMIT 1""")
    return row


def explained(snapshot: Snapshot, some: dict[str, Any], span: tuple[int, int] | None) -> Any:
    generation = answers.generation(snapshot, some["generation_id"])
    assert generation is not None
    return explain(snapshot, Selection(span=span), StoredAnswer(snapshot, generation))


def test_every_document_is_one_of_four_cases(snapshot: Snapshot, some: dict[str, Any]) -> None:
    found = explained(snapshot, some, None)
    assert found.target is not None
    top = max(found.target.null_scores)
    for each in found.shown:
        wanted = CASES[each.score > top, each.document_id == some["document_id"]]
        assert found.copies.case(each.document_id, found.is_influential(each)) == wanted
    line = cases_line(found)
    assert all(case in line for case in CASES.values())
    numbers = [int(part.split()[-1]) for part in line.split(". ")[0].split(" · ")]
    assert sum(numbers) == len(found.shown) + len(copied_cards(found))


def test_what_was_kept_nowhere_is_told_from_what_was_not_scored(snapshot: Snapshot, some: dict[str, Any]) -> None:
    found = explained(snapshot, some, None)
    absent = "no such document"
    assert case_of(found, absent) == UNSCORED
    found.proposers[absent] = {"bm25"}
    try:
        assert case_of(found, absent) == CASES[False, True]
    finally:
        del found.proposers[absent]


def test_the_answer_is_underlined_and_a_card_says_what_it_contains(open_app: Open, some: dict[str, Any]) -> None:
    app = open_app({"generation": some["generation_id"], "token": str(some["first"])})
    [strip] = components(app, "token_strip")
    assert [i for i, each in enumerate(strip["answer"]) if each["copied"]] == list(
        range(some["first"], some["last"] + 1)
    )
    assert "tokens word for word in 1 document" in strip["answer"][some["first"]]["note"]
    assert strip["underlined"] == "word for word in a training text"
    cards = {item["id"]: item for each in components(app, "document_list") for item in each["items"]}
    badges = [badge["text"] for badge in cards[some["document_id"]]["badges"]]
    assert any(badge.startswith("contains “currency of") for badge in badges)
    assert sum(badge in CASES.values() for badge in badges) == 1
    assert "in 1 document" in words(app)


def test_a_copied_document_that_the_list_lacks_is_shown_below_with_its_words_marked(
    open_app: Open, folder: Path, tmp_path: Path, some: dict[str, Any]
) -> None:
    where = f"generation_id = '{some['generation_id']}' AND document_id = '{some['document_id']}'"
    gone = f"DELETE FROM influence WHERE {where}"  # noqa: S608
    copy = changed(folder, tmp_path / "build", [gone])
    app = open_app({"generation": some["generation_id"], "token": str(some["first"])}, where=copy)
    _, below = components(app, "document_list")
    [card] = below["items"]
    assert card["id"] == some["document_id"]
    [marked] = [text for text, amount in card["pieces"] if amount == "mark"]
    assert marked.startswith("currency of") and marked.endswith(".")


def test_where_nothing_was_looked_for_nothing_is_said(
    open_app: Open, folder: Path, tmp_path: Path, some: dict[str, Any]
) -> None:
    copy = changed(folder, tmp_path / "build", ["DROP TABLE verbatim_place", "DROP TABLE verbatim"])
    app = open_app({"generation": some["generation_id"], "token": str(some["first"])}, where=copy)
    assert not app.exception
    assert "Word for word" not in [each.value for each in app.subheader]
    assert components(app, "token_strip")[0]["underlined"] == ""


def test_tokens_without_any_span_say_so(open_app: Open, some: dict[str, Any]) -> None:
    app = open_app({"generation": some["generation_id"], "token": "0"})
    assert any("None of the chosen tokens is part of a stretch" in each.value for each in app.caption)


def test_the_page_that_works_offline_has_the_same(snapshot: Snapshot, some: dict[str, Any]) -> None:
    found = explained(snapshot, some, None)
    page = explained_page(found, Selection()).decode()
    assert page.count(" copied'") == some["last"] - some["first"] + 1
    assert "Word for word" in page and "copied and influential" in page and "Whole groups by topic, " in page
    assert "as one target" in page
