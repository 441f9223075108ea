"""What one predicted nat of a run is worth, where retraining has measured it."""

from dashboard.database.queries.rows import Snapshot, has_table, kept, numbers, record
from dashboard.database.unit import Calibration


@kept(32)
def calibration(snapshot: Snapshot, run_id: str) -> Calibration | None:
    """Of the run's method on its model at its damping; None where nothing was measured."""
    if not run_id or not has_table(snapshot, "calibration"):
        return None
    sql = """SELECT calibration.* FROM run JOIN calibration USING (model_id, method)
        WHERE run_id = ? AND abs(calibration.damping - run.damping) <= 1e-9 * run.damping"""
    rows = snapshot.rows(sql, [run_id])
    return record(Calibration, numbers(rows[0], "held_out_slope")) if rows else None
