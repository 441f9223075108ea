"""What a neuron promotes, against the logits of a model to whose last state its direction is added."""

import numpy as np
import pytest
import torch

from attribution.components.stream import into_stream
from attribution.components.vocabulary import vocabulary
from tests.attribution import tiny
from tests.attribution.components.opened import KINDS, opened


def by_derivative(tracked, units, stream, depth, number):
    """d logits / d activation of a neuron, where norms have a scale of 1: by norms written out  # [V]"""
    model = tracked.loaded.model
    direction = into_stream(tracked, units.neurons_into[depth])[0][:, number]
    for name in (stream.after_neurons[depth], stream.final):
        if name is None:
            continue
        module = model.get_submodule(name)
        if isinstance(module, torch.nn.LayerNorm):
            direction = (direction - direction.mean()) * module.weight
        else:
            direction = direction * (module.weight + ("Gemma" in type(module).__name__))
    return (model.get_output_embeddings().weight @ direction).detach().numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_promoted_and_suppressed_are_the_ends_of_all_logits(kind):
    tracked, units, stream = opened(kind)
    for each in vocabulary(tracked, units, stream, most=4):
        for i in range(len(each.promoted)):
            logits = by_derivative(tracked, units, stream, each.depth, each.first + i)
            order = logits.argsort()
            np.testing.assert_array_equal(each.promoted[i], order[::-1][:4])
            np.testing.assert_array_equal(each.suppressed[i], order[:4])
            np.testing.assert_allclose(each.promoted_by[i], logits[order[::-1][:4]], rtol=1e-4)
            np.testing.assert_allclose(each.suppressed_by[i], logits[order[:4]], rtol=1e-4)


def test_every_neuron_comes_once_in_whatever_pieces():
    tracked, units, stream = opened("llama")
    whole = list(vocabulary(tracked, units, stream))
    apart = list(vocabulary(tiny.scheduled(tracked, memory=1), units, stream))
    assert [(each.depth, each.first) for each in whole] == [(0, 0), (1, 0)]
    assert [(each.depth, each.first) for each in apart] == [(d, n) for d in range(2) for n in range(units.n_neurons)]
    for name in ("promoted", "promoted_by", "suppressed", "suppressed_by"):
        of = [np.concatenate([getattr(each, name) for each in some]) for some in (whole, apart)]
        np.testing.assert_allclose(*of, rtol=1e-9)


def test_rows_that_are_no_tokens_are_left_out_and_of_few_tokens_all_are_named():
    tracked, units, stream = opened("llama")
    for each in vocabulary(tracked, units, stream, known=5):
        assert each.promoted.shape == (units.n_neurons, 5)
        assert each.promoted.max() == each.suppressed.max() == 4
