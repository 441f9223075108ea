"""Where a model is nearly sure, float32 gives what float64 does: losses, gradients and curvature of what is left."""

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import no_curvature
from attribution.exact.scores import score_documents
from attribution.exact.token_loss import loss_products
from attribution.gauss_newton.products import through_loss
from attribution.model.head import labelled
from attribution.model.measurement import logp, losses_and_deltas, measure
from attribution.model.tracked import track
from attribution.passes.batches import Row, batches
from attribution.query.solve import query_directions
from tests.attribution import tiny

MARGINS = (0.0, 5.0, 12.0, 16.0, 20.0, 30.0, -16.0)  # of the label; 16 is where 1 - p is lost in float32
V = 11


def logits(dtype=torch.float32):
    """Rows in which entry 3 is ahead of all others together by about MARGINS; numbers that float32 has exactly."""
    rest = torch.randint(-64, 64, (len(MARGINS), V), generator=torch.Generator().manual_seed(0)) / 32
    rest[:, 3] = torch.tensor(MARGINS)
    return rest.to(dtype), torch.full((len(MARGINS),), 3)


def exact(softcap=None):
    """Losses and gradients by autograd in float64, from log-odds."""
    z, labels = logits(torch.float64)
    z.requires_grad_()
    capped = z if softcap is None else softcap * torch.tanh(z / softcap)
    others = capped.scatter(1, labels[:, None], -torch.inf).logsumexp(1)
    losses = torch.nn.functional.softplus(others - capped[:, 3], threshold=1e9)
    (deltas,) = torch.autograd.grad(losses.sum(), z)
    return losses.detach(), deltas


def test_losses_and_their_gradients():
    z, labels = logits()
    losses, deltas = exact()
    found, of = losses_and_deltas(z.clone(), labels)
    torch.testing.assert_close(found.double(), losses, rtol=2e-6, atol=0)
    torch.testing.assert_close(of.double(), deltas, rtol=2e-6, atol=0)
    torch.testing.assert_close(logp(z, labels).double(), -losses, rtol=2e-6, atol=0)
    measured = measure("logp", z, labels)
    torch.testing.assert_close(measured.values.double(), -losses, rtol=2e-6, atol=0)
    torch.testing.assert_close(measured.deltas.double(), -deltas, rtol=2e-6, atol=0)


def test_under_a_soft_cap():
    z, labels = logits()
    losses, deltas = exact(softcap=20.0)
    found, of = labelled(z.clone(), labels, 20.0)
    torch.testing.assert_close(found.double(), losses, rtol=1e-5, atol=0)
    torch.testing.assert_close(of.double(), deltas, rtol=1e-5, atol=0)


def test_an_entry_that_no_text_has_is_no_other():
    z = torch.tensor([[0.0, -torch.inf, 18.0]])
    found, of = losses_and_deltas(z.clone(), torch.tensor([2]))
    assert found.item() == pytest.approx(np.log1p(np.exp(-18.0)), rel=1e-6)
    assert of[0, 1] == 0 and of[0, 2].item() == pytest.approx(-of[0, 0].item(), rel=1e-6)


def test_the_curvature_of_a_sure_token():
    """H = diag(p) - p p^T, from the probabilities in float64."""
    z, _ = logits()
    generator = torch.Generator().manual_seed(1)
    tangent = torch.randn(z.shape, generator=generator)
    [batch] = batches([Row((0,) * (len(z) + 1))], 64, torch.device("cpu"), 1024)
    p = z.double().softmax(1)
    t = tangent.double()
    # entry by entry: p_v sum_u p_u (t_v - t_u), where nothing is taken from 1
    expected = p * (p[:, None] * (t[:, :, None] - t[:, None])).sum(2)
    found = through_loss(batch, z, tangent)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=0)


def test_what_learning_a_sure_token_does():
    z, labels = logits()
    tangent = torch.randn(z.shape, generator=torch.Generator().manual_seed(2))
    p, t = z.double().softmax(1), tangent.double()
    expected = (p * (t[:, 3:4] - t)).sum(1)  # the term of the label is none
    torch.testing.assert_close(loss_products(z, tangent, labels).double(), expected, rtol=1e-5, atol=0)


@pytest.mark.parametrize("larger", [20.0, 40.0, 60.0])
def test_the_influence_of_sure_tokens_on_sure_tokens(larger):
    """A model whose logits are many times as large: the same numbers in float32 as in float64."""
    single = tiny.tiny_model("llama-untied", dtype=torch.float32)
    with torch.no_grad():
        single.model.get_output_embeddings().weight.mul_(larger)
    double = replace(single, model=deepcopy(single.model).double())
    ids = [0, 3, 4, 5]
    with torch.no_grad():  # what it is surest of, token by token
        for _ in range(4):
            ids.append(int(double.model(torch.tensor([ids])).logits[0, -1].argmax()))
    values, scores = [], []
    for loaded in (double, single):
        tracked = track(loaded)
        of = query_directions(tracked, no_curvature(tracked), ids, 4, negligible=0)
        values.append(of.values.double())
        scores.append(score_documents(tracked, of, [Row(tuple(ids), 4)], 50).values.astype(np.float64).sum(axis=2))
    torch.testing.assert_close(values[1], values[0], rtol=1e-3, atol=0)
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-2)
