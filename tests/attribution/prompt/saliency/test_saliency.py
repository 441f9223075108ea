"""Every method against captum, one answer token at a time, and what must hold for all of them."""

import pytest
import torch
from captum.attr import FeatureAblation, InputXGradient, IntegratedGradients, LayerIntegratedGradients, ShapleyValues
from captum.attr import Saliency as CaptumSaliency

from attribution.errors import BadInput
from attribution.prompt.saliency.hooks import block
from attribution.prompt.saliency.method import computed
from attribution.prompt.saliency.saliency import absent_token, saliency
from tests.attribution.prompt.tiny_prompt import byte_tokenizer, tiny_model

PROMPT, ANSWER = [256, 10, 20, 30, 40, 50], [60, 70, 80]
FOILS = [61, 71, 81]
ABSENT = 257


def row(position, foil=False):
    """The dumb way: one answer token, a forward pass that ends before it; embeddings [B, S, D] -> f [B]."""
    ids = torch.tensor([*PROMPT, *ANSWER])[: len(PROMPT) + position]
    model = tiny_model()

    def f(embeddings):
        logp = model(inputs_embeds=embeddings).logits[:, -1].log_softmax(-1)
        value = logp[:, ANSWER[position]]
        return value - logp[:, FOILS[position]] if foil else value

    embed = model.get_input_embeddings()
    x = embed(ids)[None].detach()
    absent = embed(torch.full_like(ids, ABSENT))[None].detach()
    absent[:, 0] = x[:, 0]
    return f, x, absent


@pytest.mark.parametrize("foil", [False, True])
@pytest.mark.parametrize("position", [0, 1, 2])
@pytest.mark.parametrize("method", ["grad_norm", "grad_x_input", "integrated_gradients", "occlusion"])
def test_the_fast_path_equals_captum(method, position, foil):
    f, x, absent = row(position, foil)
    if method == "grad_norm":
        oracle = CaptumSaliency(f).attribute(x.requires_grad_(), abs=False).norm(dim=-1)
    elif method == "grad_x_input":
        oracle = InputXGradient(f).attribute(x.requires_grad_()).sum(-1).detach()
    elif method == "integrated_gradients":
        oracle = IntegratedGradients(f).attribute(x, absent, n_steps=16).sum(-1)
    else:
        tokens = torch.arange(x.shape[1])[None, :, None].expand_as(x)
        oracle = FeatureAblation(f).attribute(x, absent, feature_mask=tokens)[..., 0]
    found = saliency(
        tiny_model(), PROMPT, ANSWER, method, foil_ids=FOILS if foil else None, absent_id=ABSENT, steps=16, scan=0
    )
    seen = len(PROMPT) + position
    torch.testing.assert_close(found.scores[position, :seen], oracle[0].float(), atol=1e-5, rtol=1e-4)
    assert not found.scores[position, seen:].any()
    torch.testing.assert_close(found.value[position], f(x)[0].float().detach())


def test_layer_integrated_gradients_equal_captum():
    position = 1
    ids = torch.tensor([*PROMPT, *ANSWER])[: len(PROMPT) + position]
    model = tiny_model()

    def f(embeddings):
        return model(inputs_embeds=embeddings).logits[:, -1].log_softmax(-1)[:, ANSWER[position]]

    _, x, absent = row(position)
    oracle = LayerIntegratedGradients(f, block(model, 0)).attribute(x, absent, n_steps=16).sum(-1)[0]
    found = saliency(model, PROMPT, ANSWER, "layer_integrated_gradients", layer=0, absent_id=ABSENT, steps=16, scan=0)
    torch.testing.assert_close(found.scores[position, : len(ids)], oracle.float(), atol=1e-5, rtol=1e-4)


def test_shapley_equals_captum_over_all_orders():
    groups = [-1, 0, 0, 1, 2, 2]
    f, x, absent = row(0)
    features = torch.tensor([3, 0, 0, 1, 2, 2])[None, :, None].expand_as(x).contiguous()
    oracle = ShapleyValues(f).attribute(x, absent, feature_mask=features)[0, :, 0]
    found = saliency(tiny_model(), PROMPT, ANSWER, "shapley", groups=groups, absent_id=ABSENT)
    by_part = torch.stack([found.scores[0, : len(PROMPT)][torch.tensor(groups) == g].sum() for g in range(3)])
    torch.testing.assert_close(by_part, torch.stack([oracle[1], oracle[3], oracle[4]]).float(), atol=1e-5, rtol=1e-4)


def test_many_groups_are_sampled_and_still_sum_to_the_change():
    prompt = [256, *range(10, 30)]
    found = saliency(tiny_model(), prompt, ANSWER, "shapley", groups=[-1, *range(20)], absent_id=ABSENT)
    again = saliency(tiny_model(), prompt, ANSWER, "shapley", groups=[-1, *range(20)], absent_id=ABSENT)
    assert float(found.gap.max()) < 1e-4
    torch.testing.assert_close(found.scores, again.scores)


@pytest.mark.parametrize("method", ["integrated_gradients", "layer_integrated_gradients"])
@pytest.mark.parametrize("steps", [64, 66])
def test_the_completeness_gap_is_stored_and_at_most_one_per_cent(method, steps):
    found = saliency(tiny_model(), PROMPT, ANSWER, method, absent_id=ABSENT, steps=steps)
    assert found.gap.shape == (3,)
    assert float(found.gap.max()) <= 0.01
    assert "token 257" in found.baseline


@pytest.mark.parametrize("method", computed())
def test_batch_length_and_choice_of_positions_change_nothing(method):
    groups = [-1, 0, 0, 1, 2, 2]
    options = {"absent_id": ABSENT, "steps": 8, "scan": 0, "groups": groups}
    whole = saliency(tiny_model(), PROMPT, ANSWER, method, batch=3, **options)
    last = saliency(tiny_model(), PROMPT, ANSWER, method, batch=64, positions=[1], **options)
    assert whole.scores.shape == (3, len(PROMPT) + len(ANSWER) - 1)
    torch.testing.assert_close(last.scores[0], whole.scores[1])
    torch.testing.assert_close(last.value[0], whole.value[1])
    rows = list(whole.rows())
    assert len(rows) == 6 + 7 + 8
    assert rows[0] == (0, 0, float(whole.scores[0, 0]))
    record = computed()[method]
    assert record.signed or float(whole.scores.min()) >= 0
    assert (whole.gap is not None) == record.complete  # what a record promises of sums is what is stored
    assert bool(whole.baseline) == record.absent


def test_attention_rows_sum_to_one_and_are_no_explanation():
    found = saliency(tiny_model(), PROMPT, ANSWER, "attention")
    torch.testing.assert_close(found.scores.sum(1), torch.ones(3))
    assert not computed()["attention"].explains


def test_a_foil_of_itself_explains_nothing():
    found = saliency(tiny_model(), PROMPT, ANSWER, foil_ids=ANSWER)
    assert not found.scores.any()


def test_without_an_absent_token_the_baseline_says_zero():
    assert saliency(tiny_model(), PROMPT, ANSWER, "occlusion").baseline.startswith("zero embedding")
    tokenizer = byte_tokenizer()
    assert tokenizer.decode([absent_token(tokenizer)]) == " "


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"method": "magic"}, "saliency method of grad_x_input"),
        ({"answer_ids": []}, "at least one token each"),
        ({"foil_ids": [1]}, "one foil for each of 3"),
        ({"positions": [3]}, "positions from 0 to 2"),
        ({"method": "shapley"}, "part number"),
        ({"method": "shapley", "groups": [-1] * 6}, "up to -1"),
        ({"method": "layer_integrated_gradients", "layer": 2}, "layer from 0 to 1"),
    ],
)
def test_mistakes_are_said_in_one_line(change, message):
    asked = {"prompt_ids": PROMPT, "answer_ids": ANSWER} | change
    with pytest.raises(BadInput, match=message):
        saliency(tiny_model(), **asked)
