import math

import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import PreTrainedTokenizerFast

from attribution.errors import BadInput
from attribution.model.measurement import contrast, foil_token, logp, margin, measure

Z = torch.tensor([[1.0, 2.0, 0.5, -1.0], [0.0, 0.3, 0.1, 2.0]], dtype=torch.float64)
Y = torch.tensor([1, 2])
P = Z.softmax(-1)[torch.arange(2), Y]


def test_values():
    torch.testing.assert_close(measure("logp", Z, Y).values, P.log())
    torch.testing.assert_close(measure("margin", Z, Y).values, (P / (1 - P)).log())
    torch.testing.assert_close(measure("mean_logp", Z, Y).values, P.log().mean()[None])
    foil = Z.log_softmax(-1)[torch.arange(2), torch.tensor([3, 0])]
    torch.testing.assert_close(measure("contrast", Z, Y, [3, 0]).values, P.log() - foil)


def test_many_versions_of_the_same_tokens_at_once():
    """Logits [B, n, V] and ids [n]: each version as it is alone."""
    other = torch.tensor([3, 0])
    many = torch.stack([Z, 2 * Z, -Z])
    for found, alone in (
        (logp(many, Y), lambda z: logp(z, Y)),
        (margin(many, Y), lambda z: margin(z, Y)),
        (contrast(many, Y, other), lambda z: contrast(z, Y, other)),
    ):
        torch.testing.assert_close(found, torch.stack([alone(z) for z in many]), rtol=0, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_neither_log_p_nor_log_odds_of_a_sure_token_are_rounded_away(dtype):
    z = torch.tensor([[60.0, 0.0]], dtype=dtype)
    assert logp(z, torch.tensor([0])).item() == pytest.approx(-math.exp(-60), rel=1e-6)
    assert margin(z, torch.tensor([0])).item() == 60


@pytest.mark.parametrize("name", ["logp", "margin", "mean_logp"])
def test_gradients_by_finite_differences(name):
    measured = measure(name, Z, Y)
    for row in range(2):
        for v in range(4):
            step = torch.zeros_like(Z)
            step[row, v] = 1e-6
            change = (measure(name, Z + step, Y).values - measure(name, Z - step, Y).values) / 2e-6
            torch.testing.assert_close(measured.deltas[row, v], change[measured.query_of[row]], rtol=1e-5, atol=1e-8)


def test_mean_logp_is_one_query():
    assert measure("mean_logp", Z, Y).query_of.tolist() == [0, 0]
    assert measure("logp", Z, Y).query_of.tolist() == [0, 1]


@pytest.mark.parametrize(("name", "foils"), [("contrast", None), ("contrast", [1]), ("logp", [1, 2]), ("loss", None)])
def test_what_does_not_fit_is_refused(name, foils):
    with pytest.raises(BadInput, match="expected"):
        measure(name, Z, Y, foils)


@pytest.fixture
def tokenizer():
    backend = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2, "c": 3}, [("a", "b")]))
    return PreTrainedTokenizerFast(tokenizer_object=backend)


def test_a_foil_is_one_token(tokenizer):
    assert foil_token("ab", tokenizer) == 2


@pytest.mark.parametrize(("text", "parts"), [("abc", r"'ab' \+ 'c'"), ("", "nothing")])
def test_a_foil_that_splits_says_how(tokenizer, text, parts):
    with pytest.raises(BadInput, match=parts):
        foil_token(text, tokenizer)
