"""A tiny model of every family, ready to be taken apart, and a text for it."""

from functools import cache

import torch
from torch import Tensor

from attribution.components.baseline import Baseline
from attribution.components.stream import Stream, find_stream
from attribution.components.units import Units, units
from attribution.model.tracked import Tracked, track
from tests.attribution import tiny
from tests.attribution.architectures import opened_model

KINDS = list(tiny.CONFIGS)
IDS, FIRST = (5, 3, 8, 2, 9, 4, 1, 7), 4  # four tokens to explain


@cache
def opened(kind: str) -> tuple[Tracked, Units, Stream]:
    """`kind` of the tiny models, or an architecture of the documentation."""
    tracked = track(tiny.tiny_model(kind) if kind in tiny.CONFIGS else opened_model(kind))
    of = units(tracked)
    assert isinstance(of, Units)
    stream = find_stream(tracked, of)
    assert isinstance(stream, Stream)
    return tracked, of, stream


def some_baseline(of: Units) -> Baseline:
    """Not zero, and another for every number."""
    generator = torch.Generator().manual_seed(3)
    heads = torch.randn(of.n_blocks, of.n_heads * of.head_width, generator=generator, dtype=torch.float64)
    return Baseline(heads, torch.randn(of.n_blocks, of.n_neurons, generator=generator, dtype=torch.float64))


def answer_logits(tracked: Tracked) -> Tensor:
    """What the model itself makes of the text, before the tokens to explain  # [K, V]"""
    logits: Tensor = tracked.loaded.model(input_ids=torch.tensor([IDS[:-1]]), use_cache=False).logits
    return logits[0, FIRST - 1 :]
