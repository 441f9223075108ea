"""EDGE: does a built database claim a change that cannot happen? Counts what pages would show, run by run.

`python -m tests.benchmarks unit FOLDER [--slope S]`: S in the place of what was measured, to try a database without.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dashboard.database.queries import answers, influence
from dashboard.database.queries.rows import Snapshot, has_table
from dashboard.database.unit import Calibration, unit_for
from indexer.database.reader import Database

# influence of a document or of a group on a token, a word, an answer or a set, and log p of that
TARGETS = {
    "influence": """SELECT score, logp, 'logp' AS measurement FROM influence
        JOIN generation_token USING (generation_id, position) WHERE run_id = ?""",
    "span_influence": """SELECT score, value AS logp, measurement FROM span_influence
        JOIN span_target USING (run_id, generation_id, span) WHERE run_id = ?""",
    "group_influence": """SELECT sum(score) AS score, any_value(logp) AS logp, 'logp' AS measurement
        FROM group_influence JOIN generation_token USING (generation_id, position) WHERE run_id = ?
        GROUP BY generation_id, position, column_name, value""",
    "set_influence": """SELECT score, value AS logp, if(against = '', 'logp', 'contrast') AS measurement
        FROM set_influence JOIN set_target USING (run_id, name) WHERE run_id = ?""",
}


@dataclass(frozen=True)
class Counted:
    """Influences of one table of one run: how many there are, how many exceed −log p as they are stored, and as they
    are shown in nats; where no slope is known none is."""

    model: str
    method: str
    table: str
    n: int
    raw: int
    shown: int
    in_nats: int


def counted(snapshot: Snapshot, slope: float | None = None) -> list[Counted]:
    """Every run of a database."""
    found = []
    for model in answers.models(snapshot):
        for run in answers.runs(snapshot, model.model_id):
            known = influence.calibration(snapshot, run.run_id)
            if slope is not None:
                known = Calibration(slope, slope, slope, 1.0, 1, "as given")
            for table, sql in TARGETS.items():
                if has_table(snapshot, table):
                    rows = snapshot.query(sql, [run.run_id])
                    found.append(_count(model.name, run.method, table, rows, known))
    return found


def _count(model: str, method: str, table: str, rows: object, known: Calibration | None) -> Counted:
    score, logp = (np.asarray(rows[name].to_numpy(), dtype=np.float64) for name in ("score", "logp"))  # type: ignore[index]
    plain = np.asarray(rows["measurement"].to_pylist(), dtype=object) == "logp"  # type: ignore[index]
    score, logp = score[plain], logp[plain]
    units = [unit_for(known, float(each), ()) for each in logp]
    in_nats = np.array([each.slope is not None for each in units], dtype=bool)
    shown = np.array([unit.shown(float(each)) for unit, each in zip(units, score, strict=True)])
    return Counted(
        model,
        method,
        table,
        len(score),
        int((score > -logp).sum()),
        int(((shown > -logp) & in_nats).sum()),
        int(in_nats.sum()),
    )


def main() -> int:
    """Prints a line for each run and table; 1 where anything is claimed that cannot happen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--slope", type=float)
    given = parser.parse_args()
    found = counted(Database(given.folder).current(), given.slope)
    for each in found:
        share = each.raw / max(each.n, 1)
        print(
            f"{each.model:12} {each.method:20} {each.table:16} {each.n:9,} influences, {share:6.1%} larger than −log p "
            f"as stored; {each.in_nats:9,} shown in nats, {each.shown:,} of them larger"
        )
    violations = sum(each.shown for each in found)
    print(f"violations: {violations:,}")
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
