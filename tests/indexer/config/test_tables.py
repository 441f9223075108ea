"""The tables of the documentation have a row for each record."""

from attribution.prompt.saliency.method import computed
from indexer.config.estimator import estimators
from indexer.config.tables import estimator_table, saliency_table


def test_there_is_a_row_for_each() -> None:
    for table, of in ((estimator_table(), estimators()), (saliency_table(), computed())):
        head, rule, *rows = table.splitlines()
        assert [row.split("`")[1] for row in rows] == list(of)
        assert {line.count(" | ") for line in (head, rule, *rows)} == {3}
