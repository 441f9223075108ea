"""A true attribution scores better than a wrong one, on a model whose truth is known."""

from types import SimpleNamespace

import torch
from torch import nn

from attribution.prompt.contextcite import Ablations, ablate, half_masks, single_masks
from attribution.prompt.faithfulness import aopc, prediction, sanity, shuffled, spearman, top_drop
from attribution.prompt.saliency import saliency
from tests.attribution.prompt.tiny_prompt import tiny_model


class Counter(nn.Module):
    """Says token 0 the more likely, the more often token 9 was read."""

    device = torch.device("cpu")

    def forward(self, input_ids, attention_mask=None, use_cache=False):
        nines = ((input_ids == 9) & (attention_mask > 0)).cumsum(1).double()
        logits = torch.zeros(*input_ids.shape, 10, dtype=torch.float64)
        logits[..., 0] = nines
        return SimpleNamespace(logits=logits)


PROMPT, ANSWER = [1, 9, 9, 3, 4, 5, 6, 7, 8, 8, 8], [0]


def test_the_true_ranking_beats_random_and_the_wrong_one():
    removable = [False] + [True] * 10
    true = torch.tensor([float(token == 9) for token in PROMPT])
    good = aopc(Counter(), PROMPT, ANSWER, true, removable)
    bad = aopc(Counter(), PROMPT, ANSWER, -true, removable)
    assert good.comprehensiveness > good.random_comprehensiveness > bad.comprehensiveness == 0
    assert good.sufficiency < good.random_sufficiency
    assert aopc(Counter(), PROMPT, ANSWER, true, [False] * 11).comprehensiveness == 0


def test_top_drop_and_prediction():
    of_source = [-1, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    singles = ablate(Counter(), PROMPT, of_source, ANSWER, single_masks(5))
    found = top_drop(torch.tensor([1.0, 0, 0, 0, 0]), singles)
    assert found.part == 0 and found.top > found.random > 0
    assert abs(found.top / found.random - 5) < 1e-6
    measured = ablate(Counter(), PROMPT, of_source, ANSWER, half_masks(5))
    assert prediction(measured) > 0.85  # folds differ a little where the truth has ties
    noise = torch.randn(32, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    assert abs(prediction(Ablations(measured.masks, noise))) < 0.5
    assert prediction(Ablations(measured.masks[:7], measured.odds[:7])) == 0


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


def test_spearman():
    a = torch.tensor([1.0, 2, 2, 3])
    assert abs(spearman(a, a**3) - 1) < 1e-12
    assert abs(spearman(a, -a) + 1) < 1e-12
    assert spearman(a, torch.ones(4)) == 0
    assert abs(spearman(a, torch.tensor([1.0, 2, 3, 4])) - 0.9486833) < 1e-6
