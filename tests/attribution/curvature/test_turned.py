"""Turned tokens are those of the dense rotation, shared or not."""

from dataclasses import replace

import pytest
import torch

from attribution.curvature.blocks import EigenBlock, damp, same_inputs
from attribution.curvature.turned import turned
from attribution.model.tracked import Tracked
from attribution.passes.batches import pad
from attribution.passes.capture import capture
from tests.attribution import tiny


def one_basis_an_input(tracked: Tracked) -> tuple[EigenBlock, ...]:
    """Curvature as a fit leaves it: layers that read the same have the same Q_A, in tensors of their own."""
    factors = tiny.random_factors(tracked)
    linear = [
        replace(basis, Q_A=factors.linear[layer.reads].Q_A.clone())
        for layer, basis in zip(tracked.linear, factors.linear, strict=True)
    ]
    return damp(replace(factors, linear=tuple(linear))).eigen(tracked)


@pytest.mark.parametrize("kind", ["llama", "llama-untied", "qwen2", "gpt2"])
@pytest.mark.parametrize("shared", [True, False])
def test_every_layer_has_its_own_tokens_in_its_own_basis(kind, shared):
    tracked, H = tiny.tiny_engine(kind)
    blocks = one_basis_an_input(tracked) if shared else H.eigen(tracked)
    captured = capture(tracked, pad(tiny.tiny_documents(), range(5)))
    found = list(turned(captured, blocks, same_inputs(tracked, blocks)))
    for n, (block, (deltas, inputs)) in enumerate(zip(blocks, found, strict=True)):
        torch.testing.assert_close(deltas, captured.deltas[n] @ block.basis.Q_S, rtol=0, atol=0)
        torch.testing.assert_close(inputs, captured.inputs[n] @ block.basis.Q_A, rtol=0, atol=0)
    products = len({inputs.data_ptr() for _, inputs in found})
    expected = len({layer.reads for layer in tracked.linear}) if shared else len(tracked.linear)
    assert products == expected


def test_two_bases_of_one_input_are_not_mixed():
    tracked, H = tiny.tiny_engine()
    assert not any(same_inputs(tracked, H.eigen(tracked)))
    assert same_inputs(tracked, one_basis_an_input(tracked)) == [layer.reads_on for layer in tracked.linear]
