"""A sheet as a page that opens offline: what it is about stands in words and tables, not as code, and is escaped."""

import math
import re

import pandas as pd

from dashboard.export.html import page
from dashboard.export.sheet import Sheet
from tests.dashboard.hostile import HOSTILE


def made(**about: object) -> str:
    table = lambda: pd.DataFrame([{"layer_names": ["a", "b"], "score": 0.5}])  # noqa: E731
    return page(Sheet("name", "The title", table, {}, about)).decode()


def cells(text: str) -> list[str]:
    return re.findall(r"<td>(.*?)</td>", text)


def test_many_things_are_a_table_and_one_is_a_line() -> None:
    text = made(run_id="r1", sizes=[{"model": "s", "share": 0.25}, {"model": "m", "tokens": [1, 2]}], layers={"x": 1.5})
    assert "<p class='note'>run id: r1</p>" in text and "<h2>sizes</h2>" in text and "<h2>layers</h2>" in text
    assert cells(text) == ["s", "0.250", "", "m", "", "1, 2", "x", "1.50", "a, b", "0.500"]
    assert "[" not in text.partition("</head>")[2] and "{" not in text.partition("</head>")[2]
    assert "<title>The title · Whence</title>" in text


def test_of_what_there_is_none_nothing_is_said() -> None:
    assert "sets" not in made(target_sets=[], overlaps={})
    text = made(run_id=None, share=math.nan, sizes=[{"model": None, "share": math.nan}], layers={"x": None})
    assert "run id" not in text and "share:" not in text
    assert cells(text)[:4] == ["", "", "x", ""]


def test_hostile_words_stay_text() -> None:
    for words in HOSTILE:
        text = made(**{"said": words, "many": [{words: words}], "named": {words: [words, {"in": words}]}})
        assert not re.search(r"<(script|iframe|img|svg|style [^>]*|a )", text.partition("</head>")[2])
