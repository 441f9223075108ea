"""Saliency of a model that somebody holds, against gradients taken one token at a time."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import whence

PROMPT, COMPLETION = "The capital of France is", " Paris."


@pytest.fixture(scope="module")
def held(demo: Path) -> tuple[Any, Any]:
    path = demo / "data" / "demo" / "models" / "tiny-m"
    return AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32).eval(), AutoTokenizer.from_pretrained(path)


def dumber(model: Any, tokenizer: Any, prompt: str, completion: str, foil: str = "") -> np.ndarray:
    """Σ_d x ∂f/∂x with one backward pass a token, where f = log p(token), less log p(foil): [K, S], NaN after it."""
    before = [tokenizer.bos_token_id, *tokenizer(prompt, add_special_tokens=False)["input_ids"]]
    answer = tokenizer(completion, add_special_tokens=False)["input_ids"]
    scores = np.full((len(answer), len(before) + len(answer) - 1), np.nan)
    for k, token in enumerate(answer):
        ids = torch.tensor([[*before, *answer[:k]]])
        x = model.get_input_embeddings()(ids).detach().requires_grad_()
        logp = model(inputs_embeds=x).logits[0, -1].log_softmax(-1)
        f = logp[token] - (logp[tokenizer(foil, add_special_tokens=False)["input_ids"][0]] if foil else 0)
        [gradient] = torch.autograd.grad(f, x)
        scores[k, : len(before) + k] = (gradient * x).sum(-1)[0].detach().numpy()
    return scores


@pytest.mark.parametrize("foil", ["", "R"])
def test_gradient_times_input_is_that_of_one_token_at_a_time(held: tuple[Any, Any], foil: str) -> None:
    found = whence.saliency(*held, PROMPT, COMPLETION, foil=foil or None)
    np.testing.assert_allclose(found.scores, dumber(*held, PROMPT, COMPLETION, foil), rtol=2e-4, atol=2e-6)
    assert "".join(found.tokens) == COMPLETION
    assert "".join(found.sources[: found.n_prompt]) == PROMPT
    assert found.sources[found.n_prompt :] == found.tokens[:-1]


def test_the_table_has_a_row_for_each_source_that_stands_before_its_token(held: tuple[Any, Any]) -> None:
    found = whence.saliency(*held, PROMPT, COMPLETION, method="grad_norm")
    table = found.table()
    assert len(table) == sum(found.n_prompt + k for k in range(len(found.tokens)))
    for row in table.itertuples():
        assert row.source_position < found.n_prompt + row.position
        assert (row.token, row.source) == (found.tokens[row.position], found.sources[row.source_position])
        assert row.score == found.scores[row.position, row.source_position]


def test_every_method_of_single_tokens_answers(held: tuple[Any, Any], demo: Path) -> None:
    path = demo / "data" / "demo" / "models" / "tiny-m"
    eager = AutoModelForCausalLM.from_pretrained(path, attn_implementation="eager").eval()
    for method in ("grad_norm", "integrated_gradients", "layer_integrated_gradients", "occlusion", "attention"):
        found = whence.saliency(eager, held[1], PROMPT, COMPLETION, method, steps=8)
        assert found.method == method
        assert np.isfinite(found.table()["score"]).all()


def test_mistakes_are_one_line(held: tuple[Any, Any]) -> None:
    model, tokenizer = held
    mistakes = [
        ({"method": "none"}, "grad_x_input"),
        ({"method": "shapley"}, "for parts"),
        ({"foil": "certainly not one token"}, "one token"),
        ({"completion": ""}, "empty"),
        ({"prompt": "word " * 200}, "shorten"),
    ]
    for of, said in mistakes:
        with pytest.raises(whence.BadInput) as raised:
            whence.saliency(model, tokenizer, **{"prompt": PROMPT, "completion": COMPLETION, **of})
        assert said in str(raised.value) and "\n" not in str(raised.value)
    try:
        with pytest.raises(whence.BadInput, match="eval"):
            whence.saliency(model.train(), tokenizer, PROMPT, COMPLETION)
    finally:
        model.eval()
