"""Inside where something is not there: no components, a model that cannot be split, an estimator that is not split."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.screens.inside import component_page
from indexer.database.reader import Snapshot
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]
Changed = Callable[..., AppTest]


@pytest.fixture
def some(snapshot: Snapshot) -> dict[str, str]:
    """An answer of the middle size."""
    [row] = snapshot.rows("""SELECT generation_id, model_id FROM generation JOIN model USING (model_id)
        WHERE name = 'synth-m' ORDER BY generation_id LIMIT 1""")
    return row


@pytest.fixture
def lacking(open_app: Open, folder: Path, tmp_path: Path, some: dict[str, str]) -> Changed:
    """Inside at the first token of that answer, on a copy in which statements were run."""

    def opened(statements: list[str], **query: str) -> AppTest:
        where = changed(folder, tmp_path / "build", statements)
        app = open_app({"generation": some["generation_id"], "token": "0"} | query, screen="inside", where=where)
        assert not app.exception and not app.error
        return app

    return opened


def test_what_is_not_computed_says_how_to_compute_it(lacking: Changed) -> None:
    tables = ("component_model", "component_effect", "component_taught", "component_measured", "component_attention")
    app = lacking([f"DROP TABLE {table}" for table in tables])
    assert "not computed in this database" in words(app) and "whence build CONFIG" in words(app)
    assert components(app, "bar_list")[0]["label"].startswith("Influence by layer")


def test_one_head_and_one_neuron_are_no_heads_and_neurons(lacking: Changed, some: dict[str, str]) -> None:
    here = f"generation_id = '{some['generation_id']}' AND position = 0"
    others = f"""DELETE FROM component_measured WHERE {here} AND (kind, depth, number) NOT IN (
        SELECT (kind, depth, number) FROM component_measured WHERE {here}
        QUALIFY row_number() OVER (PARTITION BY kind ORDER BY depth, number) = 1)"""  # noqa: S608 (ours)
    app = lacking([others], effect="measured")
    assert "1 head and 1 neuron were replaced" in words(app) + " ".join(each.value for each in app.caption)


def test_a_card_that_is_not_there_opens_nothing(lacking: Changed, monkeypatch: pytest.MonkeyPatch) -> None:
    """A browser may send what it likes; the list then hears ''."""
    heard: list[Callable[[str], None]] = []

    def drawn(_: object, **of: Any) -> None:
        if of["key"].startswith("answers"):
            heard.append(of["on_document"])

    monkeypatch.setattr(component_page, "choose", lambda **_: pytest.fail("nothing was there to be chosen"))
    monkeypatch.setattr(component_page.render, "document_list", drawn)
    lacking([], component="head:1.1")
    [opened] = heard
    opened("")


def test_a_model_that_cannot_be_split_keeps_its_layers(lacking: Changed) -> None:
    notice = "UPDATE component_model SET n_heads = NULL, n_kv_heads = NULL, n_neurons = NULL, notice = 'fused'"
    app = lacking([notice], component="head:1.1")
    assert "synth-m is shown by layers only: fused" in words(app)
    assert not components(app, "part_grid")
    assert components(app, "bar_list")[0]["label"].startswith("Influence by layer")


def test_what_is_known_is_shown_where_the_logits_are_not(lacking: Changed) -> None:
    statements = ["UPDATE component_model SET notice = 'no path'", "DELETE FROM component_effect"]
    statements += ["DELETE FROM component_measured", "DELETE FROM lens", "DELETE FROM component_attention"]
    app = lacking(statements, component="head:1.1")
    assert "Notice: no path." in words(app)
    assert app.segmented_control(key="control effect").options == ["Training influence"]
    said = [each.value for each in app.caption]
    assert any("What it attends to is not kept" in each for each in said)
    assert "Total effects are not stored for these tokens." in said


def test_an_estimator_that_is_not_split_does_not_hide_the_one_that_is(lacking: Changed, some: dict[str, str]) -> None:
    columns = "damping, settings, seconds, device"
    of = f"model_id = '{some['model_id']}'"
    statements = [
        f"INSERT INTO run SELECT 'another', model_id, 'grad_dot', {columns} FROM run WHERE {of}",  # noqa: S608
        f"INSERT INTO evaluation VALUES ('{some['model_id']}', 'grad_dot', 'lds_without_self', 0.9, '')",  # noqa: S608
    ]
    app = lacking(statements, effect="taught")
    assert "Training influence" in app.segmented_control(key="control effect").options
    assert "Of the 10 most helpful documents" in words(app)
