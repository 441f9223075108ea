"""The step of the influence formula against the formula, densely."""

import copy

import pytest
import torch

from attribution.exact.scores import score_documents
from attribution.query.solve import query_directions
from attribution.truth.curved_step import curved_patch, moves
from tests.attribution import tiny

N, SHORT = 50, 5e-4  # short enough for the first order, long enough for norms that a model computes in float32
IDS, FIRST = (0, 3, 4, 5, 3, 7), 3


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_the_moves_are_the_dense_ones(kind):
    tracked, H = tiny.tiny_engine(kind)
    [text] = tiny.tiny_documents(1)
    g = tiny.gradient(tracked, lambda moving: tiny.loss(tracked, moving, text))
    expected = tiny.dense_solve(tiny.random_factors(tracked), g)
    found = dict(moves(tracked, H, text))
    assert list(found) == tiny.names(tracked)
    for layer, of in zip(tracked.layers, expected, strict=True):
        weight = found[f"{layer.name}.weight"]
        stored_so = weight if kind == "llama" or layer.kind == "embedding" else weight.T
        torch.testing.assert_close(stored_so, of[:, : layer.n_in - layer.bias])
        if layer.bias:
            torch.testing.assert_close(found[f"{layer.name}.bias"], of[:, -1])


def test_a_short_step_is_the_influence():
    tracked, H = tiny.tiny_engine()
    texts = tiny.tiny_documents(5)
    d = query_directions(tracked, H, IDS, FIRST, negligible=0)
    predicted = score_documents(tracked, d, texts, N).values.sum(axis=(0, 2))
    for i, text in enumerate(texts):
        assert curved_patch(tracked, H, text, N, IDS, FIRST, SHORT) == pytest.approx(predicted[i], rel=1e-2)
        assert curved_patch(tracked, H, text, 2 * N, IDS, FIRST, 2 * SHORT) == pytest.approx(predicted[i] / 2, rel=1e-2)


def test_the_model_is_left_as_it_was():
    tracked, H = tiny.tiny_engine()
    before = copy.deepcopy(tracked.loaded.model.state_dict())
    curved_patch(tracked, H, tiny.tiny_documents(1)[0], 1, IDS, FIRST)
    assert all(torch.equal(before[name], of) for name, of in tracked.loaded.model.state_dict().items())
