"""Invented facts, and how finding them is counted."""

import numpy as np

from indexer.evaluate.measures.fact_tracing import fact_tracing
from indexer.evaluate.measures.planted import invented, planted_figures
from indexer.evaluate.statistics.figures import columns, restored


def test_every_name_is_another_and_each_document_alone_states_its_fact():
    facts = invented(20, seed=0)
    texts = [fact.document.text for fact in facts]
    for fact in facts:
        assert fact.document.text == f"{fact.prompt} {fact.answer}."
        assert sum(fact.answer in text for text in texts) == 1
        assert sum(fact.document.title in text for text in texts) == 1
    assert len({fact.document.document_id for fact in facts}) == 20
    assert invented(20, seed=0) == facts
    assert invented(20, seed=1) != facts


def test_shares_within_the_first_and_mean_reciprocal_ranks():
    scores = np.array([[9.0, 1, 2, 3], [4, 3, 2, 1], [1, 1, 1, 1]])  # of document 3, 1 and 0
    found = {each.metric: each.value for each in planted_figures({"ekfac": scores}, [3, 1, 0], "")}
    assert found == {"planted@1": 0.0, "planted@3": 2 / 3, "planted_mrr": (1 / 2 + 1 / 2 + 1 / 4) / 3}


def test_fact_tracing_takes_the_best_of_the_documents_that_state_it():
    scores = np.array([[9.0, 1, 2, 3], [4, 3, 2, 1]])
    found = fact_tracing({"ekfac": scores, "bm25": -scores}, [(1, 3), (0,)], "how")
    value = {(each.method, each.metric): each.value for each in found}
    assert value["ekfac", "mrr"] == (1 / 2 + 1) / 2
    assert value["ekfac", "recall@1"] == 0.5
    assert value["bm25", "mrr"] == (1 + 1 / 4) / 2
    assert all(each.n == 2 for each in found)


def test_a_figure_survives_the_table():
    [one, *_] = fact_tracing({"ekfac, λ 0.1": np.array([[1.0, 2.0]])}, [(1,)], "how »it« was done")
    row = {name: values[0] for name, values in columns("model", [one]).items()}
    assert restored(row) == one
