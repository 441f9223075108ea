"""Padding, batch and order must not change a number; the dumb way is one unpadded row at a time."""

import numpy as np
import pytest
import torch
from transformers import BloomConfig, BloomForCausalLM, GPT2Config, GPT2LMHeadModel, OPTConfig, OPTForCausalLM

from attribution.errors import BadInput
from attribution.prompt.context.ablated import ablate, answer_distribution, answer_odds
from attribution.prompt.saliency.shapley import subsets
from tests.attribution.prompt.tiny_prompt import tiny_model

ANSWER = [7, 8, 9]
PROMPTS = [[1, 2, 3, 4, 5], [1], [1, 5, 2], [1, 2, 3, 4], [1, 5, 2], [1, 9, 9, 9, 9, 9, 9]]
SMALL = {"vocab_size": 30, "bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 1}


def gpt2():
    return GPT2LMHeadModel(GPT2Config(**SMALL, n_embd=8, n_layer=2, n_head=2, n_positions=32))


def bloom():
    return BloomForCausalLM(BloomConfig(**SMALL, hidden_size=8, n_layer=2, n_head=2))


def opt():
    size = {"hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "ffn_dim": 16, "word_embed_proj_dim": 8}
    return OPTForCausalLM(OPTConfig(**SMALL, **size, max_position_embeddings=32))


@pytest.mark.parametrize("make", [tiny_model, gpt2, bloom, opt])
def test_versions_of_unequal_length_equal_one_row_at_a_time(make):
    torch.manual_seed(0)
    model = make().double().eval()
    found = answer_odds(model, PROMPTS, ANSWER, batch=4)
    for prompt, odds in zip(PROMPTS, found, strict=True):
        with torch.no_grad():
            logits = model(input_ids=torch.tensor([[*prompt, *ANSWER]])).logits[0]
        for k, token in enumerate(ANSWER):
            logp = logits[len(prompt) - 1 + k].log_softmax(-1)
            p = logp.exp()
            torch.testing.assert_close(odds[k], (p[token] / (1 - p[token])).log())
            torch.testing.assert_close(answer_distribution(model, prompt, ANSWER)[k], logp)
    torch.testing.assert_close(answer_odds(model, PROMPTS[::-1], ANSWER, batch=1), found.flip(0))


def test_sources_are_taken_out_of_the_ids_whatever_the_batch():
    prompt, of_source = [256, 1, 10, 11, 20, 21, 22, 30, 2], [-1, -1, 0, 0, 1, 1, 1, 2, -1]
    masks = subsets(3)
    measured = ablate(tiny_model(), prompt, of_source, ANSWER, masks, batch=3)
    for mask, odds in zip(masks.tolist(), measured.odds, strict=True):
        ids = [token for token, n in zip(prompt, of_source, strict=True) if n < 0 or mask[n]]
        torch.testing.assert_close(answer_odds(tiny_model(), [ids], ANSWER)[0], torch.from_numpy(odds))
    again = ablate(tiny_model(), prompt, of_source, ANSWER, masks[::-1], batch=8)
    np.testing.assert_allclose(again.odds[::-1], measured.odds)


def test_nothing_to_leave_out():
    with pytest.raises(BadInput, match="part to leave out"):
        ablate(tiny_model(), [256, 1], [-1, -1], ANSWER, np.ones((1, 0), dtype=bool))
