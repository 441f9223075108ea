"""The engine on CUDA gives the numbers of the CPU, which other tests compare with dense float64 truth."""

import copy
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.fit import fit_factors
from attribution.curvature.store import load_factors
from attribution.index.compress import Compressed
from attribution.index.corpus_pass import corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries
from attribution.index.shards import Shard, products
from attribution.model.generate import generate
from attribution.model.head import drawn
from attribution.model.sequence import Encoded
from attribution.model.tracked import Tracked, track
from attribution.passes.batches import Row
from attribution.truth.pbrf import responses
from attribution.truth.tail_patch import tail_patch
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


def test_a_fit_is_that_of_the_cpu_where_no_label_is_drawn(tmp_path, monkeypatch):
    """Each device draws labels by a generator of its own, so both take the most likely one."""
    for module in [of for name, of in sys.modules.items() if name.startswith("attribution.")]:
        if vars(module).get("drawn") is drawn:  # `sampled` calls it too
            monkeypatch.setattr(module, "drawn", lambda raw, softcap, uniform: raw.argmax(dim=1))
    curvature = []
    for name, tracked in zip(("cpu", "cuda"), on_both("llama"), strict=True):
        fit_factors(tracked, DOCUMENTS, tmp_path / name)
        factors = load_factors(tmp_path / name, tracked)
        assert all(of.lam.device.type == tracked.device.type for of in factors.linear)
        blocks = [Q.numpy(force=True) for Q in tiny.dense_curvature(factors)]  # eigenvectors have no sign
        curvature.append(blocks)
        corpus_pass(tracked, damp(factors), DOCUMENTS, N)
    for there, here in zip(*curvature[::-1], strict=True):
        close(there, here)


def test_labels_are_drawn_from_the_model_there(tmp_path):
    """By another generator: many documents, so that the mean hardly tells."""
    curvature = []
    for name, tracked in zip(("cpu", "cuda"), on_both("llama"), strict=True):
        fit_factors(tracked, DOCUMENTS * 100, tmp_path / name)
        curvature.append([float(of.lam.mean()) for of in load_factors(tmp_path / name, tracked).linear])
    np.testing.assert_allclose(curvature[1], curvature[0], rtol=0.2)


def test_an_index_on_the_host_is_scanned_there():
    """Its layers go to the device one after the other, in pinned memory."""
    found = []
    for tracked in on_both("llama"):
        H = damp(tiny.random_factors(tracked))
        passed = corpus_pass(tracked, H, DOCUMENTS, N, budget=10_000)
        kept = tuple(Compressed(*(of.cpu() for of in (x.left, x.right, x.scale, x.document))) for x in passed.kept)
        queries = index_queries(tracked, H, metrics(tracked, H.eigen(tracked), 1024), H, IDS, 4, rank=100, pairs=100)
        shard = Shard(0, len(DOCUMENTS), kept, torch.from_numpy(passed.hidden), torch.zeros(len(DOCUMENTS)))
        found.append(products([shard, shard], queries).numpy(force=True))
    close(found[1], found[0])


def test_what_training_on_would_do_is_the_same():
    """The tail patch, and the response that influence stands for."""
    found = []
    for tracked in on_both("llama"):
        patched = tail_patch(tracked, DOCUMENTS[:3], IDS, 3)
        moved = responses(tracked, DOCUMENTS[:4], [1], [Row(IDS, first_target=4)], damping=0.5, steps=20)
        found.append([patched, float(moved)])
    close(found[1], found[0])


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
    close(other.logp, one.logp)


class NoEnd:
    """As much of a tokenizer as writing an answer needs."""

    eos_token_id = bos_token_id = None

    def __call__(self, text: str, **_) -> dict[str, list[int]]:
        return {"input_ids": [1] * len(text)}

    def decode(self, ids, **_) -> str:
        return " ".join(map(str, ids))
