"""The engine on CUDA gives the numbers of the CPU, which other tests compare with dense float64 truth."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.index.corpus_pass import corpus_pass
from attribution.model.generate import generate
from attribution.model.sequence import Encoded
from attribution.model.tracked import Tracked, track
from tests.attribution import tiny
from tests.attribution.every_number import DOCUMENTS, IDS, N, close, every_number, two_stages

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA"),
]
DEVICE = torch.device("cuda")


def on_both(kind: str, dtype: torch.dtype = torch.float32, seed: int = 0) -> tuple[Tracked, Tracked]:
    """The same weights on the CPU and on the device."""
    loaded = tiny.tiny_model(kind, seed, dtype)
    moved = replace(loaded, model=copy.deepcopy(loaded.model).to(DEVICE), device=DEVICE)
    return track(loaded), track(moved)


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_every_number_is_that_of_the_cpu(kind):
    here, there = on_both(kind)
    expected = every_number(here)
    for name, found in every_number(there).items():
        close(found, expected[name])


def test_two_stages():
    here, there = (two_stages(*both) for both in zip(on_both("llama"), on_both("llama", seed=1), strict=True))
    close(there, here)


def test_factors_are_fitted_and_read_there(tmp_path):
    """Labels are drawn by another generator there: many documents, so that the mean hardly tells."""
    curvature = []
    for name, tracked in zip(("cpu", "cuda"), on_both("llama"), strict=True):
        fit_factors(tracked, DOCUMENTS * 100, tmp_path / name)
        factors = load_factors(tmp_path / name, tracked)
        assert all(of.lam.device.type == tracked.device.type for of in factors.linear)
        curvature.append([float(of.lam.mean()) for of in factors.linear])
        corpus_pass(tracked, damp(factors), DOCUMENTS, N)
    np.testing.assert_allclose(curvature[1], curvature[0], rtol=0.2)


def test_bfloat16_forward_with_float32_preconditioning():
    here, there = on_both("llama", torch.bfloat16)
    one, other = (every_number(of)["scores"].sum(-1).ravel() for of in (here, there))
    assert one.dtype == other.dtype == np.float32
    assert np.corrcoef(one, other)[0, 1] > 0.99


def test_greedy_answers_are_the_same():
    here, there = on_both("llama")
    prompt = Encoded(IDS, ((0, 0),) * len(IDS))
    one, other = (generate(replace(of.loaded, tokenizer=NoEnd()), prompt, 4) for of in (here, there))
    assert one.ids == other.ids


class NoEnd:
    """As much of a tokenizer as writing an answer needs."""

    eos_token_id = None

    def decode(self, ids, **_) -> str:
        return " ".join(map(str, ids))
