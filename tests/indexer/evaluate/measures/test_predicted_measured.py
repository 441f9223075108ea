"""Bins of predicted and measured changes, against a truth that is known and against counting by hand."""

import numpy as np
import pytest

from indexer.evaluate.measures.lds import Retrainings
from indexer.evaluate.measures.predicted_measured import BINS, bin_columns, binned, centred
from indexer.evaluate.measures.slope import slope_figures
from indexer.evaluate.siblings.halves import half

N, H, Q = 60, 40, 12


def test_pairs_are_in_bins_of_equal_count_by_what_was_predicted():
    x, y = np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.0]]), np.array([[30.0, 10.0, 20.0], [60.0, 50.0, 90.0]])
    assert binned(x, y, 3) == [(1.5, 15, 12.5, 17.5, 2), (3.5, 60, 45, 75, 2), (5.5, 55, 52.5, 57.5, 2)]
    assert len(binned(x[:1], y[:1], 12)) == 3  # no empty bin


def test_models_with_and_without_a_querys_document_are_centred_apart():
    own = np.array([[True], [True], [False], [False]])
    assert centred(np.array([[1.0], [3.0], [10.0], [20.0]]), own).ravel().tolist() == [-1, 1, -5, 5]
    assert centred(np.array([[1.0], [3.0]]), np.array([[True], [True]])).ravel().tolist() == [-1, 1]


def test_what_holds_lies_on_the_line_and_only_estimators_in_nats_have_bins():
    generator = np.random.default_rng(0)
    own, scores = np.arange(Q) * 5, generator.normal(size=(Q, N))
    trained_on = np.zeros((H, N), dtype=bool)
    for k in range(H):
        trained_on[k, half(N, k, seed=3)] = True
    n_targets = np.arange(Q) + 3
    truth = Retrainings(trained_on, (trained_on @ (0.2 * scores).T) * n_targets, own)
    by_method = {"ekfac": scores, "ekfac / grad_norm": scores, "ekfac, λ 1": scores, "bm25": scores}
    columns = bin_columns("m", by_method, truth, n_targets, slope_figures(by_method, truth, n_targets, ""))
    assert set(columns["method"]) == {"ekfac"} and columns["bin"] == list(range(BINS))
    assert columns["measured"] == pytest.approx(columns["predicted"], rel=1e-9)
    assert sum(columns["n"]) == (H // 2) * (Q // 2)
    assert columns["predicted"] == sorted(columns["predicted"])
