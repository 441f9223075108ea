"""Several processes where they pay and fit; one for large models and on CUDA; what is configured, always."""

import os

import pytest

from attribution.schedule import LEAST
from indexer.config.config import Device
from indexer.processes import at_once as module
from indexer.processes.at_once import ALONE, LARGE, at_once

SMALL = 1_000_000


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(module, "whole_memory", lambda: 64 << 30)


def test_small_models_have_a_process_for_each_core():
    assert at_once(Device(), "cpu", SMALL) == 4
    assert at_once(Device(processes=3), "cpu", SMALL) == 3


def test_a_large_model_and_a_gpu_have_one():
    assert at_once(Device(), "cpu", LARGE) == 4
    assert at_once(Device(), "cpu", LARGE + 1) == 1
    assert at_once(Device(), "cuda", SMALL) == 1
    assert at_once(Device(processes=2), "cuda", LARGE + 1) == 2


def test_no_more_than_fit_into_the_memory(monkeypatch):
    each = ALONE + LEAST + 2 * 4 * SMALL
    monkeypatch.setattr(module, "whole_memory", lambda: 3 * each)
    assert at_once(Device(), "cpu", SMALL) == 3
    assert at_once(Device(memory=2.5 * each / 1e9), "cpu", SMALL) == 2
    assert at_once(Device(memory=0.001), "cpu", SMALL) == 1
