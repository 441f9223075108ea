"""Where the chosen heat is stored for none of the documents shown, the other one is drawn, and the page says so."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.queries import answers
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components

Open = Callable[..., AppTest]
LISTED = "Training documents, strongest first"


@pytest.mark.parametrize(
    ("lost", "other", "said"),
    [
        ("loss_influences", "through each position", "What learning each token does is not computed here"),
        ("shares", "learning each", "Where in the text the influence comes from is not computed here"),
    ],
)
def test_the_other_heat_is_drawn_and_named(
    open_app: Open, snapshot: Snapshot, folder: Path, tmp_path: Path, lost: str, other: str, said: str
) -> None:
    found = answers.example(snapshot)
    assert found is not None
    emptied = [f"UPDATE {table} SET {lost} = []" for table in ("span_position", "influence_position")]  # noqa: S608
    where = changed(folder, tmp_path / "build", emptied)
    app = open_app({"generation": found.generation_id, "heat": lost}, where=where)
    assert not app.exception
    [data] = [each for each in components(app, "document_list") if each["label"] == LISTED]
    assert other in data["heat"]["name"] and any(said in each.value for each in app.caption)
    assert any(any(item["told"]) for item in data["items"])
    assert app.selectbox(key="control heat").value != lost
    whole = open_app({"generation": found.generation_id, "heat": lost})
    [data] = [each for each in components(whole, "document_list") if each["label"] == LISTED]
    assert other not in data["heat"]["name"] and not any(said in each.value for each in whole.caption)
