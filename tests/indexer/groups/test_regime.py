"""Where a training has left a model: lengths against ones that are written out."""

import numpy as np
import pytest
import torch

from indexer.groups.regime import Regime, distance, mean_gradient


def test_the_mean_gradient_is_that_of_all_documents_against_one():
    """Three cells in two files, two layers, one of them turned: the length of a sum is that of its documents."""
    draw = torch.Generator().manual_seed(0)
    of_document = torch.randn(12, 5, 4, generator=draw, dtype=torch.float64)
    others = torch.randn(12, 3, 2, generator=draw, dtype=torch.float64)
    turn = torch.linalg.qr(torch.randn(5, 5, generator=draw, dtype=torch.float64)).Q
    cells = [of_document[start : start + 4].sum(0) for start in (0, 4, 8)]
    more = [others[start : start + 4].sum(0) for start in (0, 4, 8)]
    files = [
        [torch.stack([turn.T @ of for of in cells[:2]]), torch.stack(more[:2])],
        [torch.stack([turn.T @ cells[2]]), torch.stack(more[2:])],
    ]
    flat = torch.cat([of_document.flatten(1), others.flatten(1)], dim=1).numpy()
    norms = np.linalg.norm(flat, axis=1)
    expected = np.linalg.norm(flat.mean(0)) / np.sqrt((norms**2).mean())
    assert mean_gradient(files, norms) == pytest.approx(expected, rel=1e-9)
    assert mean_gradient(files, np.append(norms, np.nan)) == pytest.approx(expected, rel=1e-9)  # one was skipped
    assert mean_gradient(files, np.zeros(12)) is None


def test_gradients_without_anything_in_common_have_one_over_root_n():
    flat = np.random.default_rng(1).normal(size=(400, 900))
    found = mean_gradient([[torch.tensor(flat.sum(0))[None, :, None]]], np.linalg.norm(flat, axis=1))
    assert found == pytest.approx(1 / 20, rel=0.1)


def test_the_distance_is_relative_to_the_parent_and_unknown_between_other_shapes():
    parent = {"a": torch.full((3, 4), 2.0), "b": torch.zeros(5)}
    child = {"a": torch.full((3, 4), 2.2), "b": torch.zeros(5)}
    assert distance(child, parent) == pytest.approx(0.1, rel=1e-6)
    assert distance(parent, parent) == 0
    assert distance({"a": parent["a"]}, parent) is None
    assert distance({"a": torch.zeros(4, 3), "b": torch.zeros(5)}, parent) is None


@pytest.mark.parametrize(
    ("mean", "moved", "tuned", "near"),
    [
        (0.03, None, False, False),  # from scratch: its mean gradient is small, too
        (0.0, None, False, False),
        (0.03, 0.02, True, True),
        (0.2499, None, True, True),  # without a parent among the models
        (0.25, 0.02, True, False),
        (0.5, 0.02, True, False),
        (None, 0.02, True, False),  # that it is settled is not known
        (0.03, 0.3, True, False),
    ],
)
def test_only_a_fine_tuned_model_that_has_settled_is_near_a_minimum(mean, moved, tuned, near):
    of = Regime(mean, moved, tuned)
    assert of.near_minimum is near
    facts = {"mean_gradient": mean, "parent_distance": moved, "finetuned": tuned, "near_minimum": near}
    assert of.facts == facts
