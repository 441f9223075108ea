import copy
from dataclasses import replace

import pytest
import torch

from attribution.gauss_newton.products import GaussNewton
from attribution.model.tracked import track
from tests.attribution import tiny, tiny_pairs
from tests.attribution.gauss_newton import dense

KINDS = ["llama", "llama-untied", "gemma2", "gemma3", "gpt2"]


@pytest.mark.parametrize("kind", KINDS)
def test_products_are_those_of_the_matrix_written_out(kind):
    tracked = track(tiny.tiny_model(kind))
    documents = tiny.tiny_documents(4)[1:]
    v = dense.vectors(tracked, 2)
    G = dense.gauss_newton(tracked, documents)
    found = GaussNewton(tracked, documents)(v)
    assert dense.off(dense.as_rows(found), dense.as_rows(v) @ G) < (1e-12 if kind == "gpt2" else 1e-6)
    assert float(found.dot(v).min()) > 0


def test_a_pair_has_the_hessian_of_its_own_logit():
    tracked, reference = track(tiny.tiny_model()), track(tiny.tiny_model(seed=3))
    pairs = tiny_pairs.pairs(tracked, reference, n=3)
    v = dense.vectors(tracked, 2)
    found = GaussNewton(tracked, pairs)(v)
    assert dense.off(dense.as_rows(found), dense.as_rows(v) @ dense.preferences(tracked, pairs)) < 1e-6


def test_neither_batches_nor_order_nor_memory_change_a_product():
    tracked = track(tiny.tiny_model())
    documents = tiny.tiny_documents(6)
    v = dense.vectors(tracked, 3)
    expected = GaussNewton(tracked, documents)(v)
    told: list[int] = []
    small = tiny.scheduled(tracked, tokens=4, memory=1, cached=1)
    others = [
        GaussNewton(small, documents, told.append),
        GaussNewton(tracked, documents[::-1]),
        GaussNewton(tracked, [*documents, *documents]),
    ]
    for other in others:
        assert dense.off(dense.as_rows(other(v)), dense.as_rows(expected)) < 1e-6
    assert sum(told) == 3 * len(documents)
    alone = [GaussNewton(tracked, documents)(type(v)(tuple(x[k : k + 1] for x in v.blocks))) for k in range(3)]
    assert dense.off(torch.cat([dense.as_rows(of) for of in alone]), dense.as_rows(expected)) < 1e-6


def test_without_embedding_and_with_some_layers_only():
    loaded = tiny.tiny_model()
    tracked = track(loaded, layers=["*.0.*"], embedding=False)
    documents = tiny.tiny_documents(3)
    v = dense.vectors(tracked, 1)
    G = dense.gauss_newton(tracked, documents)
    assert dense.off(dense.as_rows(GaussNewton(tracked, documents)(v)), dense.as_rows(v) @ G) < 1e-6


def test_float32_follows_float64():
    exact = track(tiny.tiny_model())
    rough = track(replace(exact.loaded, model=copy.deepcopy(exact.loaded.model).float()))
    documents = tiny.tiny_documents(3)
    v = dense.vectors(exact, 1)
    w = replace(v, blocks=tuple(x.float() for x in v.blocks))
    expected, found = (dense.as_rows(GaussNewton(of, documents)(x)) for of, x in ((exact, v), (rough, w)))
    assert dense.off(found.double(), expected) < 1e-4
