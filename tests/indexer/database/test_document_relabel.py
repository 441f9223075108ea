"""The best plausible relabelling of each document, worked out when a database is published."""

import duckdb
import pytest

from indexer.database.schema import TABLES
from indexer.database.summaries import SUMMARIES

# generation, position, document, token, influences, probabilities; best first within a token
RELABEL = [
    ("g", 0, "a", 1, [0.5, 0.1], [0.2, 0.1]),
    ("g", 1, "a", 2, [0.7, 0.6], [0.05, 0.3]),
    ("h", 0, "a", 3, [0.7], [0.9]),
    ("g", 0, "b", 1, [-0.2, -0.3], [0.2, 0.1]),  # nothing helps
    ("g", 0, "c", 1, [361.0], None),  # of an earlier Whence: any token, however implausible
    ("g", 0, "d", 1, [float("nan")], [0.5]),
    ("g", 0, "d", 4, [0.01], [0.5]),
    ("g", 0, "e", 1, [], []),
]


@pytest.fixture
def found():
    with duckdb.connect() as db:
        for table in ("relabel", "influence"):
            db.execute(f"CREATE TABLE {table} ({TABLES[table]})")
        for generation, position, document, token, influences, probabilities in RELABEL:
            texts = [f" {document}{token}{i}" for i in range(len(influences))]
            db.execute(
                "INSERT INTO relabel VALUES ('run', ?, ?, ?, ?, ?, ?, ?, ?)",
                [generation, position, document, token, [1] * len(texts), texts, influences, probabilities],
            )
        db.execute("INSERT INTO influence BY NAME SELECT 'run' AS run_id, 'g' AS generation_id, 1 AS position, "
                   "'a' AS document_id, -0.25 AS score")  # fmt: skip
        return db.execute(SUMMARIES["document_relabel"]).fetchdf().to_dict("records")


def test_the_largest_gain_of_a_document_beside_its_own_influence(found):
    assert [row["document_id"] for row in found] == ["a", "d"]
    best = found[0]
    assert (best["generation_id"], best["position"], best["token_position"]) == ("g", 1, 2)  # of equal ones the first
    assert best["instead"] == " a20"
    assert best["influence"] == pytest.approx(0.7)
    assert best["probability"] == pytest.approx(0.05)
    assert best["score"] == -0.25
    assert best["n_targets"] == 3


def test_what_is_no_number_or_of_unknown_plausibility_does_not_lead(found):
    last = found[1]
    assert last["influence"] == pytest.approx(0.01)
    assert last["n_targets"] == 1
    assert last["score"] != last["score"]  # its influence is not kept: unknown
