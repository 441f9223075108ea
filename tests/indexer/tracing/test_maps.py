"""Stored saliency: the default leaves out what a model has not; a list of one's own is taken at its word."""

from types import SimpleNamespace
from typing import Any

import pytest

from attribution.errors import BadInput
from indexer.config.config import Prompts
from indexer.tracing.prompt_share import SALIENCY, maps_left_out, maps_of
from tests.attribution.architectures import opened_model


def member(architecture: str, tmp_path, saliency: tuple[str, ...] | None) -> Any:
    prompts = Prompts(tmp_path / "prompts.jsonl", saliency=saliency)
    return SimpleNamespace(
        entry=SimpleNamespace(name="tiny"), loaded=opened_model(architecture), config=SimpleNamespace(prompts=prompts)
    )


def test_the_default_leaves_attention_out_where_there_is_none_and_says_so(tmp_path):
    of = member("Mamba", tmp_path, None)
    assert maps_of(of) == ("grad_x_input", "grad_norm", "occlusion")
    assert maps_left_out(of) == ["tiny: no saliency by attention, of which it has none"]


@pytest.mark.parametrize("architecture", ["Falcon (ALiBi)", "Falcon", "Llama"])
def test_the_default_is_whole_where_there_is(tmp_path, architecture):
    of = member(architecture, tmp_path, None)
    assert maps_of(of) == SALIENCY == ("grad_x_input", "grad_norm", "occlusion", "attention")
    assert maps_left_out(of) == []


def test_a_list_of_ones_own_is_refused_or_taken(tmp_path):
    with pytest.raises(BadInput, match=r"expected saliency that tiny has, found 'attention' in \[prompts\]") as refused:
        maps_of(member("Mamba", tmp_path, SALIENCY))
    assert "\n" not in str(refused.value)
    for own in ((), ("occlusion",)):
        of = member("Mamba", tmp_path, own)
        assert maps_of(of) == own and maps_left_out(of) == []
    assert maps_of(member("Falcon (ALiBi)", tmp_path, ("attention",))) == ("attention",)
