"""Reading along equals the model's own log-softmax, position by position, and says what it finds most likely."""

import math

import torch

from attribution.prompt.context.read_along import read_along
from tests.attribution.tiny import tiny_model


def test_every_position_equals_a_forward_pass_of_its_own() -> None:
    model = tiny_model().model
    prompt, empty, answer = (1, 5, 9, 3), (1,), (7, 2, 10)
    found = read_along(model, prompt, empty, answer)
    for k, token in enumerate(answer):
        for before, value in ((prompt, found.logp), (empty, -found.nothing * math.log(2))):
            with torch.no_grad():
                logits = model(torch.tensor([[*before, *answer[:k]]])).logits[0, -1].double()
            torch.testing.assert_close(value[k], logits.log_softmax(0)[token], rtol=1e-6, atol=1e-6)
        assert found.said[k] == int(logits_of(model, (*prompt, *answer[:k])).argmax())
        torch.testing.assert_close(
            found.said_logp[k], logits_of(model, (*prompt, *answer[:k])).max(), rtol=1e-6, atol=1e-6
        )


def logits_of(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids])).logits[0, -1].double().log_softmax(0)
