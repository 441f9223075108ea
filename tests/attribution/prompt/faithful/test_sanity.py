"""Shuffled weights."""

import torch

from attribution.prompt.faithful.sanity import sanity, shuffled
from attribution.prompt.saliency.saliency import saliency
from tests.attribution.prompt.tiny_prompt import tiny_model


def test_shuffled_weights_keep_their_values_and_lose_the_saliency():
    model = tiny_model()
    other = shuffled(model)
    for a, b in zip(model.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(a.flatten().sort().values, b.flatten().sort().values)
    assert other.get_input_embeddings().weight is other.get_output_embeddings().weight
    prompt, answer = [256, *range(30, 60)], [60, 70, 80]
    true, random = (saliency(m, prompt, answer).scores for m in (model, other))
    visible = true != 0
    assert abs(sanity(true, true, visible) - 1) < 1e-12
    assert abs(sanity(true, random, visible)) < 0.5
