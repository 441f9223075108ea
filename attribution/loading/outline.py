"""EDGE: a model's shapes from its configuration, in a second: nothing of its weights is read."""

import torch
from transformers import AutoConfig, AutoModelForCausalLM

from attribution.loading.load import UNREADABLE, LoadedModel
from attribution.loading.located import locate


def outline(source: str, base: str = "") -> LoadedModel | None:
    """The model without weights or tokenizer; None where only loading it tells what it is.

    Raises BadInput for a place where no model is.
    """
    place = locate(source, base)
    try:
        settings = AutoConfig.from_pretrained(place.location, trust_remote_code=False, **place.options)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(settings, attn_implementation="eager", trust_remote_code=False)
    except UNREADABLE:
        return None
    return LoadedModel(model.eval(), None, "", "", torch.device("meta"))  # type: ignore[arg-type]
