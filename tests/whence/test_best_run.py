"""An answer opens with the run that agrees best with retraining; its groups and their unit are those of `ekfac`."""

import math
from pathlib import Path

import pytest

import whence
from tests.dashboard.calibrated import SLOPE, nats
from tests.dashboard.changed import changed
from tests.whence.test_runs import sql

STATEMENTS = (
    """CREATE TEMP TABLE plain AS SELECT run_id, model_id FROM run JOIN model USING (model_id)
        WHERE name = 'synth-m'""",
    """INSERT INTO influence BY NAME SELECT * REPLACE ('better' AS run_id, 2 * score AS score) FROM influence
        SEMI JOIN plain USING (run_id)""",
    "INSERT INTO target BY NAME SELECT * REPLACE ('better' AS run_id) FROM target SEMI JOIN plain USING (run_id)",
    """INSERT INTO run BY NAME SELECT * REPLACE ('better' AS run_id, 'ekfac_checkpoints' AS method) FROM run
        SEMI JOIN plain USING (run_id)""",
    """INSERT INTO evaluation (model_id, method, metric, value, detail)
        SELECT model_id, method, 'lds_without_self', value, '{}'
        FROM plain, (VALUES ('ekfac', 0.3), ('ekfac_checkpoints', 0.5)) AS of (method, value)""",
)


@pytest.fixture
def two_runs(folder: Path, tmp_path: Path) -> Path:
    """synth-m with a second run whose scores are twice those of the first, and which was found to agree better."""
    return changed(folder, tmp_path / "two", STATEMENTS)


def test_an_answer_opens_with_the_best_run_and_its_groups_keep_their_unit(two_runs: Path) -> None:
    runs = whence.open(two_runs)
    generation = runs.answers(model="synth-m")["generation_id"].iloc[0]
    best, plain = runs.answer(generation), runs.answer(generation, "ekfac")
    assert (best.method, plain.method) == ("ekfac_checkpoints", "ekfac")
    assert best.documents(0)["influence"].iloc[0] == pytest.approx(2 * plain.documents(0)["influence"].iloc[0])
    groups = best.groups(0)
    assert groups.equals(plain.groups(0))
    [(logp,)] = sql(two_runs, "SELECT logp FROM generation_token WHERE generation_id = ? AND position = 0", generation)
    first = groups.iloc[0]
    assert first["change"] == pytest.approx(nats(first["influence"], logp, SLOPE), rel=1e-6)
    assert best.documents(0)["change"].isna().all() and not math.isnan(plain.documents(0)["change"].iloc[0])
