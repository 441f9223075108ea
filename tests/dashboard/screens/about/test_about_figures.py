"""What the About page asks of the table `evaluation`."""

import json

import pytest

from dashboard.database.queries.about import evaluations


class Rows:
    """A snapshot that answers with fixed rows."""

    def __init__(self, *details: str | None) -> None:
        one = {"name": "atlas-s", "method": "ekfac", "metric": "lds", "value": 0.7}
        self._rows = [{**one, "detail": detail} for detail in details]

    def rows(self, sql: str) -> list[dict]:
        return self._rows


@pytest.mark.parametrize(
    ("detail", "interval", "how"),
    [
        (json.dumps({"low": 0.654, "high": 0.746, "n": 40, "how": "50 models"}), "0.65 to 0.75", "50 models"),
        (json.dumps({"low": None, "high": None, "n": 1, "how": "decided"}), "", "decided"),
        ("words of another tool", "", "words of another tool"),
        ("17", "", "17"),
        (None, "", None),
    ],
)
def test_an_interval_is_shown_where_one_was_stored(detail, interval, how):
    [row] = evaluations(Rows(detail))
    assert (row["Value"], row["95 % interval"], row["How it was measured"]) == (0.7, interval, how)
