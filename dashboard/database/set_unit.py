"""The unit of what documents do to a target set: to its mean log p, or to the difference of two."""

from dashboard.database.queries import calibrations
from dashboard.database.queries.rows import Snapshot
from dashboard.database.set_records import SetEffect, SetTarget
from dashboard.database.unit import Unit, unit_for


def set_unit(snapshot: Snapshot, target: SetTarget | SetEffect) -> Unit:
    """By the run that scored it."""
    known = calibrations.calibration(snapshot, target.run_id)
    return unit_for(known, None if target.against else target.value, ())
