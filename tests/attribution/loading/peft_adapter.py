"""EDGE: an adapter as PEFT saves it, on a tiny random base, and PEFT's own model with it, in float64."""

import json
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

from attribution.loading.load import LoadedModel, load_model
from tests.attribution.architectures import random_model
from tests.indexer.built_model import tokenizer

R = 3


@dataclass(frozen=True)
class Given:
    """The base's folder, the adapter's, and what PEFT makes of them."""

    base: Path
    adapter: Path
    wrapped: torch.nn.Module


def saved(name, folder):
    random_model(name).model.to(torch.float32).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


def trained_adapter(kind, folder, **settings) -> Given:
    """Matrices and whatever else the settings train, at random. Skips the test where PEFT is not installed."""
    peft = pytest.importorskip("peft")
    base = saved(kind, folder / "base")
    model = load_model(str(base), "cpu").model
    named = {"r": R, "lora_alpha": 5, "task_type": "CAUSAL_LM", "fan_in_fan_out": kind == "GPT-2"} | settings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = peft.get_peft_model(model, peft.LoraConfig(**named)).eval()
        torch.manual_seed(5)
        with torch.no_grad():
            for parameter in wrapped.parameters():
                if parameter.requires_grad:
                    parameter.add_(torch.randn_like(parameter), alpha=0.1)
        wrapped.save_pretrained(folder / "a")
    said = json.loads((folder / "a/adapter_config.json").read_text())
    (folder / "a/adapter_config.json").write_text(json.dumps(said | {"base_model_name_or_path": str(base)}))
    return Given(base, folder / "a", wrapped.double())


def opened(given: Given, explain: str) -> LoadedModel:
    """In float64."""
    loaded = load_model(str(given.adapter), "cpu", explain=explain)
    return replace(loaded, model=loaded.model.double())
