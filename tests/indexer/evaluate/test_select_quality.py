"""What is chosen for a target set is trained on and measured, on a tiny family; figures have names that are known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from indexer.config.config import read_config
from indexer.database.evaluations import evaluation_parts
from indexer.evaluate import select_quality
from indexer.evaluate.measures import choosing
from indexer.evaluate.siblings import siblings
from indexer.evaluate.siblings.siblings import on_random_part, train_siblings
from indexer.evaluate.statistics.metrics import metric
from indexer.journal.lock import lock
from indexer.journal.stages import finished
from indexer.pipeline.other_sizes import _Silent
from indexer.size import factors
from indexer.size.member import Member, open_member
from tests.indexer.evaluate.test_command import TINY
from tests.indexer.pipeline.test_build import stage_here

SMALL = replace(TINY, documents=20, epochs=6)


@pytest.fixture
def members(sets_built, tmp_path, monkeypatch) -> tuple[Member, Member]:
    """A size and its sibling."""
    for module, name, value in (
        (factors, "stage", stage_here),
        (siblings, "KEEP", (1.0,)),
        (choosing, "SHARES", (0.1, 0.3)),
    ):
        monkeypatch.setattr(module, name, value)
    config = read_config(sets_built)
    config = replace(config, output=replace(config.output, folder=tmp_path))
    of = open_member(next(each for each in config.model if each.name == "tiny-s"), config)
    with lock(tmp_path):
        [sibling] = train_siblings(tmp_path, of, [on_random_part(of, of.entry.recipe, SMALL)], 1, _Silent())
    return of, sibling


def figures(folder: Path, of: Member) -> list[dict]:
    parts = evaluation_parts(folder, [of.loaded.weights_hash])
    return [row for part in parts for row in pq.read_table(part.folder / "evaluation.parquet").to_pylist()]


def test_every_method_is_trained_on_and_measured_once(members, tmp_path):
    of, sibling = members
    with lock(tmp_path):
        select_quality.measure_choosing(tmp_path, of, sibling, of.entry.recipe, SMALL, 1, _Silent())
        first = figures(tmp_path, of)
        n = len(finished(tmp_path))
        select_quality.measure_choosing(tmp_path, of, sibling, of.entry.recipe, SMALL, 1, _Silent())
    assert figures(tmp_path, of) == first and len(finished(tmp_path)) == n  # nothing is done again
    methods = {"ekfac", "gradient_cosine", "bm25"}
    by = {(row["metric"], row["method"]): row["value"] for row in first}
    expected = {(f"select@{share}", method) for share in (10, 30) for method in (*methods, "random")}
    expected |= {(f"select_gain@{share}", method) for share in (10, 30) for method in methods}
    assert set(by) == {*expected, ("select@100", "everything")}
    assert all(np.isfinite(value) for value in by.values())
    assert all(metric(name) is not None for name, _ in by)
    for share in (10, 30):
        gain = by[f"select@{share}", "random"] - by[f"select@{share}", "bm25"]
        assert by[f"select_gain@{share}", "bm25"] == pytest.approx(gain, abs=1e-6)


def test_without_a_set_nothing_is_measured(members, tmp_path):
    of, sibling = members
    without = replace(of, config=replace(of.config, targets=()))
    with lock(tmp_path):
        select_quality.measure_choosing(tmp_path, without, sibling, of.entry.recipe, SMALL, 1, _Silent())
    assert figures(tmp_path, of) == []
