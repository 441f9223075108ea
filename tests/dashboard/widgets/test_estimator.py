"""A size with several runs: Explain opens with the one that was measured best, and a switch shows the others."""

from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from indexer.database.reader import Database
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words

Open = Callable[..., AppTest]
ONE = "(SELECT model_id FROM model WHERE name = 'synth-m')"
FIRST = f"(SELECT run_id FROM run WHERE model_id = {ONE} AND method = 'ekfac')"  # noqa: S608 (names of ours)
TWO = [
    f"INSERT INTO run SELECT * REPLACE ('second' AS run_id, 'tracin' AS method) FROM run WHERE run_id = {FIRST}",  # noqa: S608
    f"INSERT INTO target SELECT * REPLACE ('second' AS run_id) FROM target WHERE run_id = {FIRST}",  # noqa: S608
    "INSERT INTO influence SELECT * REPLACE ('second' AS run_id, score * 2 AS score) FROM influence "  # noqa: S608
    f"WHERE run_id = {FIRST}",
]
HALF = "'tracin' AS method, slope / 2 AS slope, low / 2 AS low, high / 2 AS high"
CALIBRATED = f"INSERT INTO calibration SELECT * REPLACE ({HALF}) FROM calibration WHERE model_id = {ONE}"  # noqa: S608
BEST = f"INSERT INTO evaluation VALUES ({ONE}, 'tracin', 'lds_without_self', 0.9, '{{}}')"  # noqa: S608


def first_score(app: AppTest) -> float:
    [documents] = components(app, "document_list")
    return float(documents["items"][0]["score"].replace("+", ""))


@pytest.fixture
def generation(folder: Path) -> str:
    [row] = (
        Database(folder)
        .current()
        .rows(
            f"SELECT generation_id FROM generation WHERE model_id = {ONE} ORDER BY generation_id LIMIT 1"  # noqa: S608
        )
    )
    return str(row["generation_id"])


def test_the_switch_shows_the_numbers_of_the_other_run(
    open_app: Open, folder: Path, generation: str, tmp_path: Path
) -> None:
    """Twice the score at half the slope is the same change; a run without a slope has shares of its strongest."""
    for also, expected in (([CALIBRATED], None), ([], 100.0)):
        where = changed(folder, tmp_path / f"build{len(also)}", [*TWO, *also])
        app = open_app({"generation": generation, "token": "0"}, where=where)
        [switch] = [each for each in app.selectbox if each.label == "Estimator"]
        assert switch.options == ["Estimator: EK-FAC", "Estimator: TracIn"]
        before = first_score(app)
        switch.set_value("second").run()
        assert app.query_params["run"] == "second"
        assert first_score(app) == pytest.approx(expected or before, rel=1e-2)
    assert not [each for each in app.selectbox if each.label == "Heat"]  # this run has none


def test_the_best_one_is_shown_first_and_says_so(open_app: Open, folder: Path, generation: str, tmp_path: Path) -> None:
    where = changed(folder, tmp_path / "build", [*TWO, BEST])
    app = open_app({"generation": generation, "token": "0"}, where=where)
    [switch] = [each for each in app.selectbox if each.label == "Estimator"]
    assert switch.value == "second"
    assert "Estimator: TracIn, agrees best with retraining" in switch.options


def test_one_run_needs_no_switch(open_app: Open, generation: str) -> None:
    app = open_app({"generation": generation, "token": "0"})
    assert not [each for each in app.selectbox if each.label == "Estimator"]


@pytest.mark.parametrize("screen", ["compare", "corpus"])
def test_screens_that_read_the_first_run_say_which_it_is(
    open_app: Open, folder: Path, generation: str, tmp_path: Path, screen: str
) -> None:
    said = "Estimator: EK-FAC. Explain can also show TracIn."
    asked = {"generation": generation, "token": "0", "size": "synth-m"}
    app = open_app(asked, screen=screen, where=changed(folder, tmp_path / "build", TWO))
    assert said in words(app)
    assert "Estimator" not in words(open_app(asked, screen=screen))


@pytest.mark.parametrize(
    ("near", "method", "first"),
    [
        ("false", "ekfac_checkpoints", "second"),
        ("true", "ekfac_cg", "second"),
        ("true", "ekfac_checkpoints", None),
    ],
)
def test_where_nothing_was_measured_the_regime_of_the_model_decides(
    open_app: Open, folder: Path, generation: str, tmp_path: Path, near: str, method: str, first: str | None
) -> None:
    told = f'{{"regime": {{"mean_gradient": 0.03, "parent_distance": 0.01, "near_minimum": {near}}}}}'
    changes = [
        *TWO,
        "DELETE FROM evaluation",
        f"UPDATE run SET settings = '{told}' WHERE run_id = {FIRST}",  # noqa: S608
        f"UPDATE run SET method = '{method}' WHERE run_id = 'second'",  # noqa: S608
    ]
    where = changed(folder, tmp_path / "build", changes)
    app = open_app({"generation": generation, "token": "0"}, where=where)
    [switch] = [each for each in app.selectbox if each.label == "Estimator"]
    assert (switch.value == "second") is (first == "second")
