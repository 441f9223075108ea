"""A true ranking of tokens scores better than chance, and a wrong one worse."""

import torch

from attribution.prompt.erasure import aopc
from tests.attribution.prompt.counter import ANSWER, PROMPT, Counter


def test_the_true_ranking_beats_random_and_the_wrong_one():
    removable = [False] + [True] * 10
    true = torch.tensor([float(token == 9) for token in PROMPT])
    good = aopc(Counter(), PROMPT, ANSWER, true, removable)
    bad = aopc(Counter(), PROMPT, ANSWER, -true, removable)
    assert good.comprehensiveness > good.random_comprehensiveness > bad.comprehensiveness == 0
    assert good.sufficiency < good.random_sufficiency
    assert aopc(Counter(), PROMPT, ANSWER, true, [False] * 11).comprehensiveness == 0
