"""Rates of tokens against counting one token at a time."""

import numpy as np
import pytest

from attribution.passes.batches import Row
from attribution.passes.token_rates import Coverage, coverage, reading, token_rates
from tests.attribution import tiny


def counted(documents):
    """[V] each, and how many documents have something to learn."""
    read, predicted, n = np.zeros(tiny.V), np.zeros(tiny.V), 0
    for document in documents:
        start, learns = 0, False
        for window in document.rows():
            targets = [t for t in range(len(window)) if window.targets()[t]]
            for t, token in enumerate(window.ids):
                predicted[token] += document.times * (t in targets)
                read[token] += document.times * any(later > t for later in targets)
            start, learns = start + len(window), learns or bool(targets)
        n += document.times * learns
    return read, predicted, n


DOCUMENTS = [*tiny.tiny_documents(40), Row((4,)), Row((7, 7, 1), times=3), Row((1, 2, 3), learned=())]


def test_rates_are_occurrences_in_a_document_that_learns():
    read, predicted, n = counted(DOCUMENTS)
    found = token_rates(DOCUMENTS, tiny.V)
    assert n == sum(each.times for each in DOCUMENTS) - 2 - sum(not d.targets().any() for d in DOCUMENTS[:40])
    np.testing.assert_allclose(found.read, read / n)
    np.testing.assert_allclose(found.predicted, predicted / n)


def test_what_stands_after_the_last_target_of_its_window_is_not_read():
    document = Row((5, 2, 7, 0, 2, 9, 2), learned=((1, 2), (5, 6)), windows=(3, 4))
    assert reading(document, document.targets()).tolist() == [True, False, False, True, True, False, False]


def test_nothing_to_learn_has_no_rates():
    found = token_rates([Row((1,)), Row((2, 3), learned=())], 5)
    assert found.either.tolist() == [0] * 5
    assert coverage(found, found) == Coverage(rows=5, met=0, sampled=0.0)


def test_coverage_counts_rows_and_shares_of_tokens():
    every, some = token_rates(DOCUMENTS, tiny.V + 2), token_rates(DOCUMENTS[-2:-1], tiny.V + 2)
    found = coverage(every, some)
    read, predicted, n = counted(DOCUMENTS)
    assert (found.rows, found.met) == (tiny.V + 2, int((read + predicted > 0).sum()))
    assert found.sampled == pytest.approx((read + predicted)[[1, 7]].sum() / (read + predicted).sum())
    assert coverage(every, every).sampled == pytest.approx(1)
