"""What a component reports is read as what we drew, or not at all."""

import pytest
import streamlit as st

from dashboard.drawing.component import known_event


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ({"document": {"id": "d-1"}}, "d-1"),
        ({"document": {"id": "d-2"}}, None),  # not of this page
        ({"document": {"id": ["d-1"]}}, None),
        ({"document": {"id": 1}}, None),
        ({"document": {"key": "d-1"}}, None),
        ({"document": "d-1"}, None),
        ({"page": {"id": "d-1"}}, None),
        ("d-1", None),
        ({}, None),
    ],
)
def test_only_what_was_drawn_is_heard(monkeypatch, sent, read):
    monkeypatch.setattr(st, "session_state", {"list": sent})
    assert known_event("list", "document", {"d-1"}) == read


def test_the_field_is_chosen(monkeypatch):
    monkeypatch.setattr(st, "session_state", {"bars": {"bar": {"key": "mlp"}}})
    assert known_event("bars", "bar", {"mlp"}, "key") == "mlp"
    assert known_event("never drawn", "bar", {"mlp"}, "key") is None
