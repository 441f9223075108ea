"""The demo's own small model: equal to captum, and a completeness gap of at most one per cent."""

from functools import partial

import pytest
import torch
from captum.attr import InputXGradient, IntegratedGradients

from attribution.loading.load import load_model
from attribution.model.generate import generate
from attribution.model.sequence import encode_prompt
from attribution.prompt.saliency.saliency import absent_token, saliency

PROMPTS = ("The capital of France is", "The chemical symbol of iron is", "Kenya borders")


@pytest.fixture(scope="module")
def atlas():
    return load_model("data/demo/models/atlas-s", "cpu")


def test_equal_to_captum(atlas):
    encoded = encode_prompt(PROMPTS[0], atlas.tokenizer, atlas.context)
    answer = generate(atlas, encoded, 4).ids
    absent = absent_token(atlas.tokenizer)
    ours = partial(saliency, atlas.model, encoded.ids, answer, absent_id=absent)
    by_method = {
        "grad_x_input": ours("grad_x_input").scores,
        "integrated_gradients": ours("integrated_gradients", steps=32, scan=0).scores,
    }
    embed = atlas.model.get_input_embeddings()
    for k, token in enumerate(answer):
        x = embed(torch.tensor([[*encoded.ids, *answer[:k]]])).detach().requires_grad_()
        baseline = embed(torch.full((1, x.shape[1]), absent)).detach()
        baseline[:, 0] = x[:, 0].detach()

        def f(embeddings, token=token):
            return atlas.model(inputs_embeds=embeddings).logits[:, -1].log_softmax(-1)[:, token]

        oracles = {
            "grad_x_input": InputXGradient(f).attribute(x),
            "integrated_gradients": IntegratedGradients(f).attribute(x, baseline, n_steps=32),
        }
        for method, oracle in oracles.items():
            expected = oracle.detach().sum(-1)[0]
            found = by_method[method][k, : x.shape[1]]
            torch.testing.assert_close(found, expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-4)


@pytest.mark.parametrize("prompt", PROMPTS)
def test_completeness_gap_at_64_steps(atlas, prompt):
    encoded = encode_prompt(prompt, atlas.tokenizer, atlas.context)
    answer = generate(atlas, encoded, 6).ids
    absent = absent_token(atlas.tokenizer)
    found = saliency(atlas.model, encoded.ids, answer, "integrated_gradients", absent_id=absent, steps=64)
    assert float(found.gap.max()) <= 0.01
