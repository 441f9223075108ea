"""Captured inputs and output gradients rebuild the gradient of every parameter, in every architecture."""

import pytest
import torch

from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.passes.capture import COPIES, capture, forward
from attribution.passes.embedding import block_gradients
from tests.attribution import tiny


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_document_gradients_are_those_of_autograd(kind):
    tracked, _ = tiny.tiny_engine(kind)
    documents = tiny.tiny_documents()
    captured = capture(tracked, pad(documents, range(len(documents))))
    found = [delta.transpose(1, 2) @ a for delta, a in zip(captured.deltas, captured.inputs, strict=True)]
    everything = torch.arange(tiny.V)
    found += [block_gradients(tracked, captured, i, everything) for i in range(len(tracked.embedding))]
    for b, document in enumerate(documents):
        expected = tiny.gradient(tracked, lambda moving, of=document: tiny.loss(tracked, moving, of))
        for layer, block, truth in zip(tracked.layers, found, expected, strict=True):
            torch.testing.assert_close(block[b], truth, rtol=1e-8, atol=1e-10, msg=lambda m, n=layer.name: f"{n}: {m}")
        torch.testing.assert_close(captured.loss[b], tiny.loss(tracked, tiny.parameters(tracked), document))


def test_gradients_of_the_logits_are_kept_for_an_embedding_that_is_tracked():
    whole, _ = tiny.tiny_engine()
    layers_only = track(whole.loaded, embedding=False)
    documents = tiny.tiny_documents()
    batch = pad(documents, range(len(documents)))
    kept, dropped = capture(whole, batch), capture(layers_only, batch)
    assert kept.logit_deltas.shape == (len(batch.targets), tiny.V)
    assert dropped.logit_deltas.numel() == 0
    assert kept.nbytes(whole) - dropped.nbytes(layers_only) == kept.logit_deltas.nbytes
    for one, other in zip((*kept.deltas, kept.token_loss), (*dropped.deltas, dropped.token_loss), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["llama", "gemma2"])
@pytest.mark.parametrize("seed", [None, 3])
def test_logits_in_slices_are_those_of_all_targets_together(kind, seed):
    whole, _ = tiny.tiny_engine(kind)
    little = tiny.scheduled(whole, memory=4 * 4 * COPIES * tiny.V * 3)  # three targets at once
    batch = pad(tiny.tiny_documents(), range(5))
    for one, other in ((whole, little), *([track(each.loaded, embedding=False) for each in (whole, little)],)):
        found = []
        for tracked in (one, other):
            made = capture(tracked, batch, None if seed is None else torch.Generator().manual_seed(seed))
            found.append((made.token_loss, made.logit_deltas, made.embedded_deltas, *made.deltas))
        for a, b in zip(*found, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)


def test_padding_has_no_gradient():
    tracked, _ = tiny.tiny_engine()
    documents = [tiny.Row((0, 1)), tiny.Row((0, 1, 2, 3, 4, 5))]
    captured = capture(tracked, pad(documents, [0, 1]))
    assert all(bool((delta[0, 2:] == 0).all()) for delta in captured.deltas)


def test_the_model_keeps_no_hooks():
    tracked, _ = tiny.tiny_engine()
    forward(tracked, torch.tensor([[0, 1, 2]]))
    assert not any(module._forward_hooks for module in tracked.loaded.model.modules())


def test_sampled_labels_come_from_the_generator():
    tracked, _ = tiny.tiny_engine()
    batch = pad(tiny.tiny_documents(), range(5))
    one, same, other = (capture(tracked, batch, torch.Generator().manual_seed(seed)).token_loss for seed in (0, 0, 1))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)
