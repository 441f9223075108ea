"""What a model knows, by one forward pass, against greedy decoding token by token."""

import pytest
import torch

from attribution.loading.load import LoadedModel
from attribution.model.generate import generate
from attribution.model.sequence import encode_prompt
from data.knowledge import Question, questions, share_known
from indexer.config.config import Recipe
from indexer.training.loop import new_model, new_optimiser, train_epoch
from indexer.training.tokenizer import train_tokenizer
from tests.tiny_family import TEXTS

RECIPE = Recipe(hidden=16, layers=1, feed_forward=24, heads=2, vocabulary=300, context=48, epochs=25, peak_rate=2e-2)


@pytest.fixture(scope="module")
def loaded():
    """Trained until it knows a part."""
    tokenizer = train_tokenizer(TEXTS, RECIPE.vocabulary)
    end = tokenizer.eos_token_id
    model = new_model(RECIPE, end)
    optimiser = new_optimiser(model)
    rows = [[end, *tokenizer(text)["input_ids"], end] for text in TEXTS]
    for epoch in range(RECIPE.epochs):
        train_epoch(model, optimiser, rows, RECIPE, epoch, end, lambda n: None)
    return LoadedModel(model.eval(), tokenizer, "w", "t", torch.device("cpu"))


ASKED = [Question(text[: text.rindex(" ")], text) for text in TEXTS]


def decoded(loaded: LoadedModel, asked: Question, n_tokens: int) -> bool:
    prompt = encode_prompt(asked.prompt, loaded.tokenizer, loaded.context)
    wanted = encode_prompt(asked.text, loaded.tokenizer, loaded.context).ids[len(prompt) :]
    wanted = wanted[:n_tokens] if n_tokens else wanted
    return generate(loaded, prompt, len(wanted)).ids == wanted


@pytest.mark.parametrize("n_tokens", [0, 1, 2])
def test_it_is_the_share_that_greedy_decoding_writes(loaded, n_tokens):
    expected = sum(decoded(loaded, asked, n_tokens) for asked in ASKED) / len(ASKED)
    assert share_known(loaded, ASKED, n_tokens) == pytest.approx(expected)
    if n_tokens == 1:
        assert 0 < expected < 1  # a test that can fail


def test_a_question_stops_before_the_last_mention_of_its_answer():
    facts = [
        {"source": "s", "topic": "t", "text": "The capital of Singapore is Singapore.", "answer": "Singapore"},
        {"source": "s", "topic": "other", "text": "a b", "answer": "b"},
        {"source": "s", "topic": "t", "text": "Lima", "answer": "Lima"},  # nothing stands before it
    ]
    asked = Question("The capital of Singapore is", "The capital of Singapore is Singapore")
    assert questions(facts, "s", "t") == [asked]
