"""Which map of the prompt comes first, where its own measures stand beside it, and what is said of a bad one."""

import duckdb
import pytest

from dashboard.database.queries.prompts import best_saliency
from dashboard.database.records import Measure
from dashboard.widgets.measures import in_words
from indexer.database.memory import Memory

WHOLE = "comprehensiveness"


class Database:
    """A snapshot of two tables."""

    def __init__(self, rows: list[tuple[str, str, str, float, float | None]]) -> None:
        self._db, self.memory = duckdb.connect(), Memory()
        self._db.execute("CREATE TABLE generation (generation_id TEXT, model_id TEXT)")
        self._db.execute("INSERT INTO generation VALUES ('1', 's'), ('2', 's'), ('3', 'l')")
        self._db.execute(
            "CREATE TABLE faithfulness (generation_id TEXT, method TEXT, metric TEXT, value DOUBLE, random DOUBLE)"
        )
        if rows:
            self._db.executemany("INSERT INTO faithfulness VALUES (?, ?, ?, ?, ?)", rows)

    def rows(self, sql: str, values: dict | list | None = None) -> list[dict]:
        found = self._db.execute(sql, values)
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ""),
        ([("1", "grad_x_input", WHOLE, 1.0, 2.0), ("1", "occlusion", WHOLE, 3.0, 2.0)], "occlusion"),
        ([("1", "grad_x_input", WHOLE, 5.0, 2.0), ("1", "occlusion", WHOLE, 3.0, 2.0)], "grad_x_input"),
        # the mean over the model's answers decides, less what chance loses
        (
            [
                ("1", "grad_x_input", WHOLE, 5.0, 2.0),
                ("2", "grad_x_input", WHOLE, 5.0, 9.0),
                ("1", "occlusion", WHOLE, 3.0, 2.0),
            ],
            "occlusion",
        ),
        ([("1", "attention", WHOLE, 9.0, 2.0), ("1", "occlusion", WHOLE, 3.0, 2.0)], "occlusion"),  # explains nothing
        ([("1", "component", WHOLE, 9.0, 2.0)], ""),  # no map of the prompt
        ([("3", "occlusion", WHOLE, 9.0, 2.0)], ""),  # of another model
        ([("1", "occlusion", "sufficiency", 9.0, 2.0), ("1", "grad_norm", WHOLE, 9.0, None)], ""),
    ],
)
def test_the_method_whose_first_tokens_an_answer_needs_most(rows, expected):
    assert best_saliency(Database(rows), "s") == expected


def test_worse_than_chance_is_said_first():
    bad, good = Measure("occlusion", WHOLE, 1.0, 2.0, ""), Measure("grad_norm", WHOLE, 3.0, 2.0, "")
    assert in_words([bad, good], "occlusion").startswith("Worse than chance here: without the tokens that it ranks")
    assert in_words([bad, good], "grad_norm").startswith("Without the tokens that it ranks")
    assert in_words([bad, good], "attention") == ""


def test_a_gap_of_more_than_all_is_told_without_powers_of_ten() -> None:
    gaps = [Measure(f"m{i}", "completeness_gap", value, None, "") for i, value in enumerate((1.2, 0.00012, 0.034))]
    said = [in_words(gaps, each.method).rpartition("up to ")[2] for each in gaps]
    assert said == ["120 %.", "0.012 %.", "3.4 %."]
