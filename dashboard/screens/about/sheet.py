"""The sheet of About: a figure of how faithful the numbers are a row, with its interval and how it was measured."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pandas as pd

from dashboard.database.method_names import method_name
from dashboard.export.sheet import Sheet

Rows = Sequence[Mapping[str, Any]]
UNSAID = ("95 % interval",)  # which Low and High say


def about_sheet(evaluations: Rows, bins: Rows, sizes: Rows, sources: Rows, licence: str) -> Sheet:
    """What was measured; models, sources and the bins of predicted changes beside it."""
    return Sheet(
        name="whence-about",
        title="How faithful the numbers are",
        table=partial(_table, evaluations),
        address={},
        about={
            "licence": licence,
            "models": [dict(each) for each in sizes],
            "sources": [dict(each) for each in sources],
            "predicted_and_measured": [dict(each) for each in bins],
        },
    )


def _table(evaluations: Rows) -> pd.DataFrame:
    rows = [
        {name.lower().replace(" ", "_"): value for name, value in each.items() if name not in UNSAID}
        | {"estimator": method_name(str(each["Method"]))}
        for each in evaluations
    ]
    return pd.DataFrame(rows)
