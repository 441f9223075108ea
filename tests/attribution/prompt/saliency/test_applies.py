"""Which maps a model can be asked for: a model of states has no attention, and ended a build in a traceback."""

import pytest

from attribution.errors import BadInput
from attribution.prompt.saliency.method import computed
from attribution.prompt.saliency.saliency import saliency
from tests.attribution.architectures import DECODERS, opened_model
from tests.attribution.tiny import tiny_model

PROMPT, ANSWER = [5, 6, 7], [8, 9]


@pytest.mark.parametrize("name", DECODERS)
def test_every_architecture_but_the_one_of_states_tells_its_attention(name):
    model = opened_model(name).model
    lacking = {method for method, each in computed().items() if not each.applies(model)}
    assert lacking == ({"attention"} if name == "Mamba" else set())
    if not lacking:  # and what it tells are weights
        assert saliency(model, PROMPT, ANSWER, "attention").scores.sum(1).tolist() == pytest.approx([1.0, 1.0])


def test_attention_of_a_model_of_states_is_refused_and_the_others_are_computed():
    model = opened_model("Mamba").model
    with pytest.raises(
        BadInput, match="expected a model whose every layer tells its attention, found Mamba"
    ) as refused:
        saliency(model, PROMPT, ANSWER, "attention")
    assert "\n" not in str(refused.value)
    for method in ("grad_x_input", "grad_norm", "occlusion"):
        assert saliency(model, PROMPT, ANSWER, method, absent_id=0).scores.isfinite().all()


def test_a_fused_kernel_is_left_as_it_was():
    loaded = tiny_model()
    before = loaded.model.config._attn_implementation
    assert computed()["attention"].applies(loaded.model)
    assert loaded.model.config._attn_implementation == before
