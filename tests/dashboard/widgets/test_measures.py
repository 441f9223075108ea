"""The table of faithfulness: a method has one name there, in databases of before, too."""

import pandas as pd
import pytest

from dashboard.database.records import Measure
from dashboard.drawing import render
from dashboard.widgets.measures import show_measures


def test_what_was_stored_before_stands_under_the_label_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both methods had one name; the drop of the documents' was written over that of the tokens'."""
    shown: list[pd.DataFrame] = []
    monkeypatch.setattr(render, "table", shown.append)
    tokens = Measure("shapley", "comprehensiveness", 1.5, 0.5, "")
    for name in ("shapley", "shapley_documents"):
        show_measures([tokens, Measure(name, "top_drop", 2.5, 0.75, "")])
    before, now = (frame.set_index("Method") for frame in shown)
    pd.testing.assert_frame_equal(before, now)
    assert before.index.tolist() == ["Shapley value of documents", "Shapley value of parts"]
    assert before["Without the first document"].tolist() == ["2.50 (0.750)", ""]
