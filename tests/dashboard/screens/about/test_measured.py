"""The table of methods on the page About, and the names that it gives them."""

import pytest

from dashboard.database.method_names import method_name
from dashboard.screens.about.measured import by_method, decided, removal
from indexer.evaluate.statistics.best_method import best
from indexer.evaluate.statistics.figures import Figure


def figure(method: str, metric: str, value: float, model: str = "atlas-s", interval: str = "", how: str = "") -> dict:
    return {
        "Model": model,
        "Figure": metric,
        "Method": method,
        "Value": value,
        "95 % interval": interval,
        "How it was measured": how,
    }


@pytest.mark.parametrize(
    ("method", "name"),
    [
        ("ekfac", "EK-FAC"),
        ("ekfac / relatif_l", "EK-FAC ÷ own influence"),
        ("ekfac_checkpoints / grad_norm", "EK-FAC, mean over checkpoints ÷ gradient"),
        ("ekfac, two stages", "EK-FAC, two stages"),
        ("<b>", "<b>"),
        ("<b> / <i>", "<b>, / <i>"),
    ],
)
def test_names(method, name):
    assert method_name(method) == name


def test_a_row_for_each_method_that_a_build_can_store():
    rows = by_method(
        [
            figure("ekfac", "lds", 0.8),
            figure("ekfac", "mrr", 0.9),
            figure("bm25", "lds", 0.6),
            figure("ekfac, attention only", "lds", 0.9),
            figure("ekfac", "stability, bfloat16", 1.0),
            figure("tracin", "mrr", 0.95),
        ]
    )
    assert rows == [
        {"Method": "EK-FAC", "LDS": 0.8, "MRR": 0.9},
        {"Method": "BM25", "LDS": 0.6, "MRR": None},
        {"Method": "TracIn", "LDS": None, "MRR": 0.95},
    ]


def test_several_models_are_named_in_their_order():
    rows = by_method([figure("ekfac", "mrr", 0.8, "small"), figure("bm25", "mrr", 0.9, "large")])
    assert [row["Model"] for row in rows] == ["small", "large"]


def test_nothing_measured_is_an_empty_table():
    assert by_method([]) == []
    assert by_method([figure("ekfac", "sanity", 0.1)]) == []


def test_what_is_best_says_by_how_much():
    found = decided(
        [figure("ekfac", "best for influence", 0.451, interval="0.39 to 0.51"), figure("ekfac", "lds", 1.0)]
    )
    assert found == [("Best for influence, atlas-s", "EK-FAC, 0.45 (0.39 to 0.51)")]


def test_what_is_not_told_apart_is_not_called_best_alone():
    figures = [
        Figure("ekfac", "mrr", 0.97, 0.94, 1.0, 60, ""),
        Figure("bm25", "mrr", 0.96, 0.92, 0.99, 60, ""),
        Figure("bm25", "mrr_behind", 0.01, -0.02, 0.04, 60, ""),
    ]
    [first] = best(figures)
    [(_, said)] = decided([figure(first.method, first.metric, first.value, how=first.how)])
    assert said == "EK-FAC, 0.97; on these data it is not told apart from BM25"


@pytest.mark.parametrize(
    ("by_bm25", "verdict"),
    [
        (0.25, "changes at least 3 times as many answers as what BM25 finds."),
        (1.0, "changes fewer than 3 times"),
    ],
)
def test_what_removal_does_is_said_whichever_way_it_went(by_bm25, verdict):
    figures = [
        figure("ekfac_checkpoints", "flips@20", 1.0),
        figure("bm25", "flips@20", by_bm25),
        figure("random", "flips@20", 0.54),
        figure("ekfac_checkpoints", "drop@20", 12.91),
        figure("bm25", "drop@20", 9.84),
        figure("bm25", "lds", 0.5, "another"),
    ]
    [(question, answer)] = removal(figures)
    assert question == "Trained again without the 20 documents blamed most, atlas-s"
    assert (
        f"EK-FAC, mean over checkpoints 100.0 % (12.9 nats a token); BM25 {100 * by_bm25:.1f} % (9.8 nats a token)."
        in answer
    )
    assert verdict in answer
    assert "random" not in answer  # of which one of the two figures is missing


def test_nothing_is_said_of_a_removal_that_was_not_tried():
    assert removal([figure("ekfac", "lds", 0.8)]) == []
    [(_, answer)] = removal([figure("tracin", "flips@20", 0.5), figure("tracin", "drop@20", 1.0)])
    assert "What influence blames" not in answer
