"""A table of the page: what has no value is a dash, in columns of numbers and of words."""

from streamlit.testing.v1 import AppTest


def test_what_is_missing_is_a_dash() -> None:
    def page() -> None:
        import math

        import pandas as pd

        from dashboard.drawing import render

        rows = [{"none": None, "rank": 3, "said": "None", "share": math.nan}, {"said": None, "share": "all"}]
        render.table(pd.DataFrame(rows))

    app = AppTest.from_function(page).run()
    assert not app.exception
    [shown] = app.dataframe
    assert shown.proto.placeholder == "–"
    values = shown.value.astype(object).where(shown.value.notna(), None)
    assert values["none"].tolist() == [None, None] and values["rank"].tolist() == [3, None]
    assert values["said"].tolist() == ["None", None] and values["share"].tolist() == [None, "all"]
