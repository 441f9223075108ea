import numpy as np
import torch

from attribution.model.head import sampled


def test_labels_are_drawn_as_often_as_the_model_says():
    raw = torch.tensor([[0.0, 1.0, -torch.inf, 2.0]])
    drawn = sampled(raw.expand(40_000, 4), None, torch.Generator().manual_seed(0))
    share = np.bincount(drawn, minlength=4) / 40_000
    np.testing.assert_allclose(share, raw.softmax(1)[0], atol=0.01)
    assert share[2] == 0


def test_a_soft_cap_is_part_of_the_distribution():
    raw = torch.tensor([[0.0, 50.0]]).expand(40_000, 2)
    drawn = sampled(raw, 1.0, torch.Generator().manual_seed(0))
    assert abs(float(drawn.double().mean()) - float(torch.tensor(1.0).sigmoid())) < 0.01
