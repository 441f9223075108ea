"""A document that training saw several times: its loss, and all that is made of its gradient, is that of its copies."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.curvature.fit import draw
from attribution.model.tracked import track
from attribution.passes.batches import Rows, batches
from attribution.passes.capture import capture
from tests.attribution import tiny
from tests.attribution.test_invariance import DOCUMENTS, PAIRS, everything

TIMES = np.array([1 + (i % 4 == 0) * 2 for i in range(15)])  # 3 of every fourth document
# what a number becomes when the gradient does
POWERS = {"gradient norm": 1, "self-influence": 2, "solve norm": 1, "loss": 1, "scores": 1}


@pytest.mark.parametrize("documents", [DOCUMENTS, PAIRS], ids=["documents", "pairs"])
def test_every_number_is_that_of_all_copies(plain, documents):
    once = everything(documents)
    often = everything([replace(each, times=int(n)) for each, n in zip(documents, TIMES, strict=True)])
    for name, power in POWERS.items():
        factor = (TIMES**power)[:, None] if once[name].ndim == 3 else TIMES**power
        torch.testing.assert_close(
            torch.tensor(often[name], dtype=torch.float64),
            torch.tensor(once[name] * factor, dtype=torch.float64),
            rtol=2e-4,
            atol=2e-4 * float(np.abs(once[name]).max()),
        )
    for name in ("shares", "token losses", "relabelling"):
        ratio = often[name][once[name] != 0] / once[name][once[name] != 0]
        assert set(np.round(ratio[np.isfinite(ratio)], 2).tolist()) <= {1.0, 3.0}
        assert 3.0 in np.round(ratio, 2)


def test_labels_are_drawn_for_one_copy(tiny_tracked):
    """What is drawn for the Fisher is one document, however often training saw it."""
    often = [replace(each, times=5) for each in DOCUMENTS[:4]]
    for one, many in zip(*(batches(of, 64, tiny_tracked.device) for of in (DOCUMENTS[:4], often)), strict=True):
        drawn = [capture(tiny_tracked, each, torch.Generator().manual_seed(0)).logit_deltas for each in (one, many)]
        torch.testing.assert_close(drawn[0], drawn[1])
        assert not torch.equal(capture(tiny_tracked, one).logit_deltas, capture(tiny_tracked, many).logit_deltas)


def test_the_sample_holds_every_copy():
    often = [replace(each, times=int(n)) for each, n in zip(DOCUMENTS, TIMES, strict=True)]
    copies = [each for each, n in zip(DOCUMENTS, TIMES, strict=True) for _ in range(n)]
    assert draw(often, 100, seed=3) == draw(copies, 100, seed=3)
    assert draw(often, 7, seed=3) == draw(copies, 7, seed=3)
    assert draw([replace(each, times=1) for each in often], 7, seed=3) == draw(DOCUMENTS, 7, seed=3)


def test_rows_are_counted_where_they_are_asked_for():
    rows = Rows(3, DOCUMENTS.__getitem__)
    assert rows.seen(np.ones(3, dtype=np.int32)) is rows
    counted = rows.seen(np.array([1, 4, 1], dtype=np.int32))
    assert [each.times for each in counted] == [1, 4, 1]
    assert counted[1].once == rows[1] and counted.shapes.tolist() == rows.shapes.tolist()
    windows = replace(DOCUMENTS[1], windows=(1, len(DOCUMENTS[1]) - 1), times=4)
    assert [each.times for each in windows.rows()] == [1, 1]


@pytest.fixture
def tiny_tracked():
    return track(tiny.tiny_model(dtype=torch.float32))
