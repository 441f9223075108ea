"""Running firsts against a sort of everything, ties and signs included."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from attribution.components.contexts import Contexts, no_contexts

N, T = 3, 4


def everything(values, most):
    """values: [D, T, N] -> of every component (value, document, position), the largest first, equal ones by document"""
    found = []
    for j in range(N):
        best = []
        for document, each in enumerate(values):
            t = max(range(T), key=lambda t: (abs(each[t][j]), -t))
            if each[t][j]:
                best.append((each[t][j], document, t))
        best.sort(key=lambda one: (-abs(one[0]), one[1]))
        best = best[:most]
        found.append(best + [(0, -1, 0)] * (most - len(best)))
    return found


def listed(of: Contexts):
    parts = (of.values.tolist(), of.documents.tolist(), of.positions.tolist())
    return [list(zip(*(part[j] for part in parts), strict=True)) for j in range(N)]


def added(of, values, documents):
    x = torch.tensor([values[d] for d in documents]).double()
    places = torch.arange(T).expand(len(documents), T)
    return of.with_batch(x, torch.tensor(documents), places)


few = st.integers(-2, 2)  # so that there are ties
texts = st.lists(st.lists(st.lists(few, min_size=N, max_size=N), min_size=T, max_size=T), min_size=1, max_size=9)


@given(texts, st.randoms(), st.integers(1, 4))
def test_contexts_are_the_first_of_all_in_whatever_order_and_parts_they_come(values, random, most):
    order = list(range(len(values)))
    random.shuffle(order)
    parts = [no_contexts(N, most, torch.zeros(0).double()) for _ in range(2)]
    while order:
        size = random.randint(1, len(order))
        which = random.randint(0, 1)
        parts[which] = added(parts[which], values, order[:size])
        order = order[size:]
    want = everything(values, most)
    assert listed(parts[0].plus(parts[1])) == want
    assert listed(parts[1].plus(parts[0])) == want


def test_the_position_is_that_of_the_token_in_its_document():
    x = torch.zeros(1, 5, N)
    x[0, 3] = torch.tensor([2.0, -3.0, 0.0])
    found = no_contexts(N, 2, x).with_batch(x, torch.tensor([7]), torch.tensor([[0, 1, 1, 2, 3]]))
    assert listed(found) == [[(2, 7, 2), (0, -1, 0)], [(-3, 7, 2), (0, -1, 0)], [(0, -1, 0)] * 2]


@pytest.mark.parametrize("most", [1, 8])
def test_a_neuron_that_is_never_active_has_none(most):
    found = no_contexts(N, most, torch.zeros(0)).with_batch(torch.zeros(2, T, N), torch.arange(2), torch.zeros(2, T))
    assert (np.array(listed(found))[..., 1] == -1).all()
