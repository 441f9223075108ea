"""The engine keeps its tensors together on a device that is not the CPU; tests/gpu asks a real one for all numbers."""

import copy
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from attribution.model.tracked import Tracked, track
from tests.attribution import tiny
from tests.attribution.every_number import close, every_number, two_stages
from tests.attribution.pretend_device import DEVICE, pretend_device


@pytest.fixture(autouse=True)
def away(monkeypatch) -> Iterator[None]:
    monkeypatch.setattr(torch, "inference_mode", torch.no_grad)  # its tensors have no versions, which views there need
    with pretend_device():
        yield


def on_both(kind: str, seed: int = 0) -> tuple[Tracked, Tracked]:
    """The same weights on the CPU and on the device."""
    loaded = tiny.tiny_model(kind, seed)
    model = copy.deepcopy(loaded.model).to(DEVICE)
    if model.config.tie_word_embeddings:  # a move to a device of another kind makes new parameters
        model.get_output_embeddings().weight = model.get_input_embeddings().weight
    return track(loaded), track(replace(loaded, model=model, device=DEVICE))


@pytest.mark.parametrize("kind", tiny.CONFIGS)
def test_every_number_is_computed_there(kind):
    here, there = on_both(kind)
    expected = every_number(here, forward_mode=False)
    for name, found in every_number(there, forward_mode=False).items():
        close(found, expected[name])


def test_two_stages():
    here, there = (two_stages(*both) for both in zip(on_both("llama"), on_both("llama", seed=1), strict=True))
    close(there, here)


def test_what_is_left_on_the_cpu_is_refused():
    there = torch.ones(3, device=DEVICE)
    with pytest.raises(RuntimeError, match="same device"):
        there + torch.ones(3)
    with pytest.raises(RuntimeError, match="same device"):
        torch.ones(2, 3) @ there
    with pytest.raises(RuntimeError):
        there.numpy()
    assert (there * 2).to("cpu").tolist() == [2, 2, 2]
