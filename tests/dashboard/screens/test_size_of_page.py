"""The selector of the frame says which size a screen shows: nothing on the screen speaks of another one."""

from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from indexer.database.reader import Snapshot
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]


def answer_of(snapshot: Snapshot, size: str) -> str:
    sql = "SELECT min(generation_id) AS id FROM generation JOIN model USING (model_id) WHERE name = ?"
    return str(snapshot.rows(sql, [size])[0]["id"])


@pytest.mark.parametrize("size", ["synth-s", "synth-m", "synth-l"])
def test_a_list_is_of_the_size_of_the_answer_that_was_looked_at(open_app: Open, snapshot: Snapshot, size: str) -> None:
    generation = answer_of(snapshot, size)
    app = open_app({"generation": generation}, screen="corpus")
    assert app.selectbox(key="ask size").value == size
    assert f"Over the words of all stored answers of {size}:" in words(app)
    app = open_app({"generation": generation}, screen="sets")
    assert app.selectbox(key="ask size").value == size and f", {size}: " in words(app)
    app = open_app({"generation": generation, "filter": "Tokyo"}, screen="tokens")
    assert app.selectbox(key="ask size").value == size and f"{size}, by " in words(app)


def test_without_an_answer_it_is_that_of_the_example(open_app: Open) -> None:
    app = open_app(screen="corpus")
    size = app.selectbox(key="ask size").value
    assert size == "synth-l" and f"stored answers of {size}:" in words(app)
    app.selectbox(key="ask size").set_value("synth-s").run()
    assert app.query_params["size"] == "synth-s" and "stored answers of synth-s:" in words(app)


def test_runs_shows_all_sizes_until_one_is_chosen(open_app: Open) -> None:
    app = open_app(screen="runs")
    assert app.selectbox(key="ask size").value == "all sizes"
    [table] = components(app, "prompt_table")
    assert {each["name"] for row in table["rows"] for each in row["columns"]} >= {"synth-s", "synth-m", "synth-l"}
    app.selectbox(key="ask size").set_value("synth-m").run()
    [table] = components(app, "prompt_table")
    assert {each["name"] for row in table["rows"] for each in row["columns"]} == {"synth-m"}
    assert app.selectbox(key="control size").value == "synth-m"
