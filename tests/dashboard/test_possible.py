"""Nothing on a page claims a change that cannot happen: over all that a database stores, and on its pages."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.database.unit import NO_SLOPE
from indexer.database.reader import Database, Snapshot
from tests.benchmarks.bench_unit import counted
from tests.dashboard.changed import changed
from tests.dashboard.drawn import components, words
from tests.synthetic_database import SIZES

Open = Callable[..., AppTest]


def test_no_stored_influence_is_shown_larger_than_what_is_left(snapshot: Snapshot) -> None:
    found = counted(snapshot)
    assert sum(each.raw for each in found) > 100  # there is what could go wrong
    assert sum(each.in_nats for each in found) > 1000
    assert {each.model for each in found if each.in_nats} == {"synth-m"}
    assert sum(each.shown for each in found) == 0
    assert sum(each.shown for each in counted(snapshot, slope=30.0)) == 0


def test_that_count_counts(snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dashboard.database.unit.change", lambda score, slope, logp: np.asarray(slope * score))
    assert sum(each.shown for each in counted(snapshot)) > 0


@pytest.mark.parametrize("size", SIZES)
def test_a_size_without_a_slope_shows_no_nats_of_a_document(open_app: Open, snapshot: Snapshot, size: str) -> None:
    [row] = snapshot.rows(
        """SELECT generation_id, logp FROM generation JOIN model USING (model_id) JOIN generation_token
        USING (generation_id) WHERE name = ? AND position = 0 ORDER BY generation_id LIMIT 1""",
        [size],
    )
    app = open_app({"generation": row["generation_id"], "token": "0", "side": "towards"})
    assert not app.exception
    cards = [item for each in components(app, "document_list") for item in each["items"] if item["score"]]
    assert cards
    said = words(app) + " ".join(each.value for each in app.caption)
    if size != "synth-m":
        assert {item["unit"] for item in cards} == {"%"}
        assert max(abs(float(item["score"].replace("−", "-"))) for item in cards) == pytest.approx(100)
        assert NO_SLOPE in said
        assert "predicted change" not in said.lower()
        return
    assert {item["unit"] for item in cards} == {"nats"}
    assert all(float(item["score"].replace("−", "-")) <= -row["logp"] + 1e-3 for item in cards)
    [bars] = [each for each in components(app, "bar_list") if each["label"].startswith("Influence by layer")]
    total = float(re.search(r"add up to (\S+) nats", bars["label"])[1].replace("−", "-"))  # type: ignore[index]
    assert 0 < total <= -row["logp"] + 1e-3  # of all documents of the list together
    assert "0.25 nats (0.2 to 0.3) for one that is predicted" in said


def test_a_slope_that_may_be_nothing_is_no_unit(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path / "build", ["UPDATE calibration SET low = -0.1"])
    assert sum(each.in_nats for each in counted(Database(copy).current())) == 0


def test_another_damping_is_another_unit(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path / "build", ["UPDATE run SET damping = 0.01"])
    assert sum(each.in_nats for each in counted(Database(copy).current())) == 0
