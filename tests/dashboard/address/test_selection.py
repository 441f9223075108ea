from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.normalisers import NORMALISERS
from dashboard.address.selection import Selection, address, from_address

words = st.text(max_size=200)
spans = st.tuples(st.integers(0, 999), st.integers(0, 999)).map(sorted).map(tuple) | st.none()


@given(words, words, spans, st.integers(0, 999999) | st.none())
def test_an_address_restores_the_selection(generation: str, text: str, span: tuple[int, int] | None, page: int) -> None:
    selection = Selection(generation=generation, text=text, span=span, page=page, normaliser="cosine")
    assert from_address(address(selection)) == selection


@given(st.dictionaries(st.sampled_from([f.metadata["key"] for f in fields(Selection)]), st.text(max_size=300)))
def test_any_address_gives_a_selection(query: dict[str, str]) -> None:
    selection = from_address(query)
    assert from_address(address(selection)) == selection


def test_the_address_of_nothing_is_empty() -> None:
    assert address(Selection()) == {}


def test_keys_are_unique() -> None:
    keys = [f.metadata["key"] for f in fields(Selection)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize("raw", ["", "x", "-", "3-", "-3", "5-3", "1e3", "٣", "99999999", "1-2-3"])
def test_a_span_that_is_none(raw: str) -> None:
    assert from_address({"token": raw}).span is None


@pytest.mark.parametrize("name", NORMALISERS)
def test_a_normaliser_is_spelled_as_in_the_database(name: str) -> None:
    assert from_address({"scale": name}).normaliser == name
    assert address(Selection(normaliser=name)).get("scale", "none") == name


@pytest.mark.parametrize(
    ("before", "name"),
    [
        *(("gradient", "grad_norm"), ("gradient2", "grad_norm_squared")),
        *(("relatif-l", "relatif_l"), ("relatif-t", "relatif_theta")),
    ],
)
def test_an_address_that_was_sent_before_still_opens(before: str, name: str) -> None:
    assert from_address({"scale": before}).normaliser == name


def test_another_answer_clears_what_was_chosen_in_the_last_one() -> None:
    selection = Selection(
        generation="a", span=(1, 2), document="d", layer="mlp-1", component="head:1.0", normaliser="cosine"
    )
    moved = selection.with_(generation="b", span=(0, 0))
    assert (moved.span, moved.document, moved.layer, moved.normaliser) == ((0, 0), "", "", "cosine")
    assert moved.component == ""


def test_escape_leaves_one_level_at_a_time() -> None:
    selection = Selection(generation="a", span=(1, 2), document="d", layer="mlp-1", part=2, component="neuron:0.7")
    left = []
    for _ in range(7):
        before, selection = selection, selection.escape()
        left += [f.name for f in fields(Selection) if getattr(before, f.name) != getattr(selection, f.name)]
    assert left == ["component", "layer", "part", "document", "span"]
    assert selection.generation == "a"


def test_a_filter_goes_back_to_the_first_page() -> None:
    assert Selection(page=7).with_(text="x").page is None
    assert Selection(page=7).with_(page=8).page == 8
