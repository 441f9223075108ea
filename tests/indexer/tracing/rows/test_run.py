"""The row of a run tells what the curvature of the embedding has seen, where that was counted."""

import json
from types import SimpleNamespace

import duckdb
import pytest
import torch

from attribution.passes.token_rates import Coverage
from indexer.config.config import FactorSettings, ScoreSettings
from indexer.tracing.rows.run import write_run


@pytest.mark.parametrize("coverage", [None, Coverage(rows=4096, met=4001, sampled=0.5)])
def test_coverage_is_among_the_settings(tmp_path, coverage):
    config = SimpleNamespace(factors=FactorSettings(), scores=ScoreSettings())
    loaded = SimpleNamespace(weights_hash="w", device=torch.device("cpu"))
    member = SimpleNamespace(config=config, loaded=loaded, n_train=60)
    write_run(tmp_path, SimpleNamespace(member=member, factors=SimpleNamespace(coverage=coverage)), "r", "ekfac", 2.0)
    [(run, settings)] = duckdb.sql(f"SELECT run_id, settings FROM '{tmp_path}/*.parquet'").fetchall()  # noqa: S608
    assert run == "r"
    expected = {"rows": 4096, "met": 4001, "sampled": 0.5} if coverage else None
    assert json.loads(settings).get("coverage") == expected
