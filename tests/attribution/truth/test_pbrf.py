"""The proximal Bregman response against the dense Gauss–Newton matrix, and the engine's influence against it."""

import numpy as np
import pytest
import torch
from torch.func import jacrev

from attribution.curvature.blocks import damp
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.exact.scores import score_documents
from attribution.loading.attention import plain_attention
from attribution.model.tracked import track
from attribution.passes.batches import pad
from attribution.query.solve import query_directions
from attribution.truth.pbrf import logits, responses, tracked_parameters
from tests.attribution import tiny


@pytest.fixture(scope="module")
def tracked():
    return track(tiny.tiny_model())


@pytest.fixture(scope="module")
def documents():
    return tiny.tiny_documents(6, plain=True)


@pytest.fixture(scope="module")
def dense(tracked, documents):
    """Gauss–Newton matrix of the mean document loss, and ∇L of each document  # [P, P], [D, P]"""
    start = tracked_parameters(tracked)
    size = sum(value.numel() for value in start.values())
    G, gradients = torch.zeros(size, size, dtype=torch.float64), []
    for document in documents:
        batch = pad([document], [0])
        with plain_attention(tracked.loaded.model):  # the fused one is not differentiated row by row
            J = jacrev(lambda moving, batch=batch: logits(tracked, moving, batch))(start)
        J = torch.cat([J[name].detach().flatten(2) for name in start], dim=2)  # [n, V, P]
        p = logits(tracked, start, batch).softmax(-1).detach()  # [n, V]
        for J_t, p_t in zip(J, p, strict=True):
            G += J_t.T @ (torch.diag(p_t) - torch.outer(p_t, p_t)) @ J_t / len(documents)
        error = p - torch.nn.functional.one_hot(batch.labels, p.shape[1])
        gradients.append(torch.einsum("nv,nvp->p", error, J))
    return G, torch.stack(gradients)


def n_tokens(documents):
    return torch.tensor([[int(pad([document], [0]).is_target.sum())] for document in documents])


def test_the_response_is_that_of_the_dense_matrix(tracked, documents, dense):
    """Where G matters: its largest eigenvalue is 76, λ is 1, and leaving G out is wrong by far."""
    G, g = dense
    f = -g[:3] / n_tokens(documents[:3])
    expected = -f @ torch.linalg.solve(G + torch.eye(len(G)), g.T) / len(documents)
    found = responses(tracked, documents, range(6), documents[:3], damping=1.0, share=0.01, steps=60)
    np.testing.assert_allclose(found, expected, atol=0.03 * float(expected.abs().max()))
    without = -f @ g.T / len(documents)
    assert float((found - without).abs().max()) > 2 * float(expected.abs().max())


def test_the_engine_s_influence_is_the_response_where_damping_rules(tracked, documents, dense):
    """Sign, scale and N of the engine against an optimisation; G enters by its diagonal, which suffices there."""
    G, _ = dense
    at = dict(
        zip(
            tracked_parameters(tracked),
            G.diagonal().split([v.numel() for v in tracked_parameters(tracked).values()]),
            strict=True,
        )
    )
    blocks = {of.name: at[f"{of.name}.weight"].view(of.n_out, of.n_in) for of in tracked.layers}
    linear = tuple(
        Eigenbasis(torch.eye(of.n_in).double(), torch.eye(of.n_out).double(), blocks[of.name]) for of in tracked.linear
    )
    factors = Factors(tuple(blocks), linear, tuple(blocks[of.name] for of in tracked.embedding), "diagonal")
    H = damp(factors, absolute=300.0)
    found = responses(tracked, documents, range(6), documents[:3], damping=300.0, share=0.1, steps=60)
    for query, response in zip(documents[:3], found, strict=True):
        d = query_directions(tracked, H, query.ids, query.first_target, measurement="mean_logp", negligible=0)
        influence = score_documents(tracked, d, documents, len(documents)).values.sum(axis=2)[0]
        np.testing.assert_allclose(influence, response, atol=0.05 * float(found.abs().max()))
