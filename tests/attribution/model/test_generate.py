"""Greedy generation against step-by-step argmax without a cache, and its log-probabilities against naive ones."""

from copy import copy, deepcopy
from dataclasses import replace

import pytest
import torch

from attribution.loading.load import LoadedModel
from attribution.model.generate import answer_logp, completed, generate
from attribution.model.sequence import answer_spans, encode_prompt
from indexer.config.config import Recipe
from indexer.training.loop import new_model
from indexer.training.tokenizer import train_tokenizer
from tests.attribution.prompt.tiny_prompt import sentences_with_spaces
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
    made = generate(replace(loaded, end=(loaded.tokenizer.convert_ids_to_tokens(second),)), prompt, 8)
    assert made.ids[-1] == second
    assert len(made.ids) <= 2


@pytest.mark.parametrize("text", TEXTS[:6])
def test_input_03_several_ends_of_the_generation_settings_stop_it_as_generate_does(loaded, text):
    prompt = encode_prompt(text[:-6], loaded.tokenizer, loaded.context)
    free = generate(loaded, prompt, 8).ids
    settings = deepcopy(loaded.model.generation_config)
    for stop in {free[1], free[2], free[-1]}:
        model = copy(loaded.model)
        model.generation_config = deepcopy(settings)
        model.generation_config.update(eos_token_id=[0, stop], pad_token_id=0)
        ids = torch.tensor([prompt.ids])
        whole = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=8, do_sample=False)[0].tolist()
        made = generate(replace(loaded, model=model), prompt, 8)
        assert list(made.ids) == whole[len(prompt) :]
        assert made.ids[-1] == stop and len(made.ids) == free.index(stop) + 1


def test_the_answer_has_the_space_before_its_first_word_inside_the_prompt():
    tokenizer = sentences_with_spaces()
    prompt = encode_prompt("ab cd", tokenizer, 40)
    text, spans = answer_spans(tuple(tokenizer("ef ab", add_special_tokens=False)["input_ids"]), tokenizer, prompt.ids)
    assert text == " ef ab" and spans == [(0, 3), (3, 6)]
