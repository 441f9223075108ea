"""Which run a screen opens with, where a model has several."""

import duckdb
import pytest

from dashboard.database.queries.answers import measured_best
from indexer.database.memory import Memory


class Database:
    """A snapshot of three tables."""

    def __init__(self, evaluation: list[tuple[str, str, str, float]]) -> None:
        self._db, self.memory = duckdb.connect(), Memory()
        self._db.execute("CREATE TABLE model (model_id TEXT, family TEXT)")
        self._db.execute("INSERT INTO model VALUES ('s', 'f'), ('l', 'f'), ('x', 'g')")
        self._db.execute("CREATE TABLE run (run_id TEXT, model_id TEXT, method TEXT, settings TEXT DEFAULT '{}')")
        self._db.execute("""INSERT INTO run (run_id, model_id, method) VALUES
            ('1', 's', 'ekfac'), ('2', 's', 'tracin'), ('3', 'l', 'ekfac'), ('4', 'x', 'ekfac')""")
        self._db.execute("CREATE TABLE evaluation (model_id TEXT, method TEXT, metric TEXT, value DOUBLE)")
        if evaluation:
            self._db.executemany("INSERT INTO evaluation VALUES (?, ?, ?, ?)", evaluation)

    def rows(self, sql: str, values: dict | None = None) -> list[dict]:
        found = self._db.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


LDS = "lds_without_self"


@pytest.mark.parametrize(
    ("evaluation", "model", "expected"),
    [
        ([], "s", ""),
        ([("s", "ekfac", LDS, 0.3), ("s", "tracin", LDS, 0.2)], "s", "ekfac"),
        ([("s", "ekfac", LDS, 0.3), ("s", "tracin", LDS, 0.4)], "s", "tracin"),
        ([("s", "ekfac", "mrr", 0.3), ("s", "tracin", LDS, 0.1)], "s", "tracin"),
        ([("s", "ekfac", LDS, 0.3), ("s", "no run of it", LDS, 0.9)], "s", "ekfac"),
        ([("s", "ekfac", LDS, 0.3)], "l", "ekfac"),  # of the same family
        ([("s", "ekfac", LDS, 0.3)], "x", ""),
    ],
)
def test_the_method_that_predicts_retraining_best(evaluation, model, expected):
    assert measured_best(Database(evaluation), model) == expected
