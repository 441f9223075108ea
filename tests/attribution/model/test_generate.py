"""Greedy generation against step-by-step argmax without a cache, and its log-probabilities against naive ones."""

from dataclasses import replace

import pytest
import torch

from attribution.model.generate import answer_logp, completed, generate
from attribution.model.load import LoadedModel
from attribution.model.sequence import encode_prompt
from indexer.config.config import Recipe
from indexer.training.loop import new_model
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS

RECIPE = Recipe(hidden=16, layers=2, feed_forward=24, heads=2, vocabulary=280, context=40)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def loaded():
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    model = new_model(RECIPE, tokenizer.eos_token_id).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # larger than at initialisation: a model with opinions
            parameter.add_(torch.randn_like(parameter), alpha=0.3)
    return LoadedModel(model, tokenizer, "w", "t", CPU)


def naive(loaded: LoadedModel, ids: tuple[int, ...], n: int) -> tuple[list[int], list[float]]:
    """Each step anew over the whole row."""
    row, logp = list(ids), []
    with torch.no_grad():
        for _ in range(n):
            step = loaded.model(input_ids=torch.tensor([row])).logits[0, -1].log_softmax(-1)
            row.append(int(step.argmax()))
            logp.append(float(step.max()))
            if row[-1] == loaded.tokenizer.eos_token_id:
                break
    return row[len(ids) :], logp


@pytest.mark.parametrize("text", TEXTS[:4])
def test_it_is_the_argmax_of_every_step(loaded, text):
    prompt = encode_prompt(text[:-6], loaded.tokenizer, loaded.context)
    made = generate(loaded, prompt, 8)
    ids, logp = naive(loaded, prompt.ids, 8)
    assert list(made.ids) == ids
    assert list(made.logp) == pytest.approx(logp, abs=1e-4)
    assert generate(loaded, prompt, 8) == made
    assert "".join(made.text[start:stop] for start, stop in made.spans) == made.text


def test_given_ids_have_the_log_probabilities_of_one_step_after_the_other(loaded):
    prompt = encode_prompt("The capital of Peru is", loaded.tokenizer, loaded.context)
    answer = tuple(loaded.tokenizer(" Lima.")["input_ids"])
    expected, row = [], list(prompt.ids)
    with torch.no_grad():
        for token in answer:
            step = loaded.model(input_ids=torch.tensor([row])).logits[0, -1].log_softmax(-1)
            expected.append(float(step[token]))
            row.append(token)
    assert answer_logp(loaded, prompt.ids, answer) == pytest.approx(expected, abs=1e-4)
    made = completed(loaded, prompt, answer)
    assert (made.ids, made.text) == (answer, " Lima.")
    assert answer_logp(loaded, prompt.ids, ()) == []


def test_it_stops_at_the_limit_and_at_the_context(loaded):
    prompt = encode_prompt("The capital of Peru is", loaded.tokenizer, loaded.context)
    assert len(generate(loaded, prompt, 1).ids) == 1
    room = loaded.context - len(prompt)
    assert len(generate(loaded, prompt, 1000).ids) <= room


def test_it_stops_after_the_end_token_and_keeps_it(loaded):
    prompt = encode_prompt("The capital of Peru is", loaded.tokenizer, loaded.context)
    second = generate(loaded, prompt, 8).ids[1]
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(second)
    made = generate(replace(loaded, tokenizer=tokenizer), prompt, 8)
    assert made.ids[-1] == second
    assert len(made.ids) <= 2
