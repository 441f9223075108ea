"""A true ranking of tokens scores better than chance, and a wrong one worse."""

import torch

from attribution.prompt.context.ablated import without
from attribution.prompt.faithful import erasure
from attribution.prompt.faithful.erasure import QUANTILES, aopc
from tests.attribution.prompt.counter import ANSWER, PROMPT, Counter

REMOVABLE = [False] + [True] * 10
TRUE = torch.tensor([float(token == 9) for token in PROMPT])


def test_the_true_ranking_beats_random_and_the_wrong_one():
    found = aopc(Counter(), PROMPT, ANSWER, {"good": TRUE, "bad": -TRUE}, REMOVABLE)
    good, bad = found["good"], found["bad"]
    assert good.comprehensiveness > good.random_comprehensiveness > bad.comprehensiveness == 0
    assert good.sufficiency < good.random_sufficiency
    assert aopc(Counter(), PROMPT, ANSWER, {"none": TRUE}, [False] * 11)["none"].comprehensiveness == 0


def test_the_mean_over_the_quantiles_of_what_is_lost():
    """Of ten removable tokens the top 1, 2 and 5 go; the two nines stand first."""

    def logp(n_nines):
        return (torch.tensor(float(n_nines)).exp() / (torch.tensor(float(n_nines)).exp() + 9)).log().item()

    [found] = aopc(Counter(), PROMPT, ANSWER, {"good": TRUE}, REMOVABLE).values()
    gone = [logp(2) - logp(2 - n) for n in (1, 2, 2)]
    only = [logp(2) - logp(n) for n in (1, 2, 2)]
    assert abs(found.comprehensiveness - sum(gone) / len(QUANTILES)) < 1e-6
    assert abs(found.sufficiency - sum(only) / len(QUANTILES)) < 1e-6


def test_a_prompt_of_which_nothing_would_stay_keeps_its_first_token():
    """Else the answer's first token would be read at the end of whichever row shares the batch."""
    [alone] = aopc(Counter(), [9], ANSWER, {"one": torch.ones(1)}, [True]).values()
    assert (alone.comprehensiveness, alone.sufficiency) == (0.0, 0.0)
    assert without([9, 3, 9], {0, 2}) == (3,) and without([9, 3], {0, 1}) == (9,)


def test_a_version_of_the_prompt_is_read_once(monkeypatch):
    read = []

    def odds(model, prompts, *of):
        read.extend(prompts)
        return torch.zeros(len(prompts), 1, dtype=torch.float64)

    monkeypatch.setattr(erasure, "answer_odds", odds)
    aopc(
        Counter(), [1, 9, 9, 3], ANSWER, {"a": torch.arange(4.0), "b": torch.arange(4.0) * 2}, [False, True, True, True]
    )
    assert len(read) == len(set(read)) <= 1 + 2 * 3
