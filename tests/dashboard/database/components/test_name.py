"""The name of a component as an address spells it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.database.components.name import KINDS, Component, component_named


@given(st.sampled_from(list(KINDS)), st.integers(0, 999_999), st.integers(0, 999_999))
def test_a_name_is_read_as_it_is_spelled(kind: str, depth: int, number: int) -> None:
    component = Component(kind, depth, number)
    assert component_named(component.key) == component
    assert component.name.endswith(f"{depth}.{number}")


@pytest.mark.parametrize(
    "key",
    [
        "",
        "head",
        "head:",
        "head:3",
        "head:3.",
        "head:-1.2",
        "bias:1.1",
        "head:1.2.3",
        "head:٣.1",
        "head:1.1 ",
        "head:01.1",
        "x",
    ],
)
def test_all_else_is_none(key: str) -> None:
    assert component_named(key) is None


@given(st.text())
def test_any_text_is_a_name_or_none(text: str) -> None:
    found = component_named(text)
    assert found is None or found.key == text
