"""Which kernel computes attention. The fused one holds no tokens × tokens weights, which are most of a long text's
graph; it has no forward derivative and does not tell its weights, so what needs those asks for the plain one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import PretrainedConfig, PreTrainedModel

FUSED, PLAIN = "sdpa", "eager"


def fuse_attention(model: PreTrainedModel) -> None:
    """In place, where the architecture has the fused kernel and chooses at every call; elsewhere it stays as it is."""
    submodels = [module for module in model.modules() if isinstance(module, PreTrainedModel)]
    if all(each._supports_sdpa and each._can_set_attn_implementation() for each in submodels):
        model.set_attn_implementation(FUSED)


@contextmanager
def plain_attention(model: PreTrainedModel) -> Iterator[None]:
    """Inside the `with`, attention is made of plain products; then what was there before."""
    before = [(settings, settings._attn_implementation) for settings in _settings(model)]
    try:
        for settings, _ in before:
            settings._attn_implementation_internal = PLAIN
        yield
    finally:
        for settings, was in before:
            settings._attn_implementation_internal = was


def _settings(model: PreTrainedModel) -> list[PretrainedConfig]:
    """Those of the model and of its parts that choose at every call."""
    parts = [each for each in model.modules() if isinstance(each, PreTrainedModel)]
    found = {id(each.config): each.config for each in parts if each._can_set_attn_implementation()}
    return list(found.values())
