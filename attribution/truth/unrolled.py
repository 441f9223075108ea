"""The derivative of an outcome by every document's weight, through the whole training.

    df/dw_z = Σ_t  ∂f/∂g_t · ∂g_t/∂w_z

Backwards through the recorded steps (Maclaurin et al. 2015, arXiv 1502.03492; for training data of language models
Ilyas and Engstrom 2025, arXiv 2504.16430): the adjoints of θ, m and v pass through step t, that of the gradient through
∇L_t(θ, w), a product with the Hessian for every query. Exact for this seed and this order of batches, to first order in
w; a training whose outcome turns on rounding has a derivative that says little about what a document does on average.

Only every √T-th state is kept, the rest are computed a second time.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from attribution.truth.recorded import State, Training

Asked = Sequence[tuple[Sequence[int], int]]  # ids, and the first of them that f is about


def derivatives(of: Training, asked: Asked, tick: Callable[[int], None] = lambda n: None) -> Tensor:
    """df/dw of every query by every document, at w = 1: the change of f, nats a token, that a document seen once more
    makes to first order. `tick(n)` after n steps.    -> [Q, D]
    """
    n_steps = len(of.steps)
    every = max(1, math.isqrt(n_steps))
    with of.differentiable():
        kept, state = [], of.start()
        for t in range(n_steps):
            if t % every == 0:
                kept.append(state)
            state = of.step(t, state)
        adjoints = [_at_the_end(of, state, ids, first) for ids, first in asked]
        found = torch.zeros(len(asked), of.n_documents, dtype=state.theta.dtype)
        for start in range((len(kept) - 1) * every, -1, -every):
            states = [kept.pop()]
            stop = min(start + every, n_steps)
            for t in range(start, stop - 1):
                states.append(of.step(t, states[-1]))
            for t in range(stop - 1, start - 1, -1):
                adjoints = _back(of, t, states.pop(), adjoints, found)
                tick(1)
    return found


def _at_the_end(of: Training, last: State, ids: Sequence[int], first: int) -> State:
    """Adjoints of θ, m and v after the last step: f does not see m and v."""
    theta = last.theta.detach().requires_grad_()
    [slope] = torch.autograd.grad(of.mean_logp(theta, ids, first), [theta])
    return State(slope, torch.zeros_like(slope), torch.zeros_like(slope))


def _back(of: Training, t: int, before: State, adjoints: Sequence[State], found: Tensor) -> list[State]:
    """Adjoints before step t; what the documents of its batch did is added to `found`  # [Q, D]"""
    theta = before.theta.detach().requires_grad_()
    documents = of.steps[t].documents
    weights = torch.ones(len(documents), dtype=theta.dtype, requires_grad=True)
    gradient = of.gradient(t, theta, weights)
    inputs = [each.detach().requires_grad_() for each in (before.theta, before.m, before.v, gradient)]
    after = of.moved(t, State(*inputs[:3]), inputs[3])
    passed = []
    for q, each in enumerate(adjoints):
        through = torch.autograd.grad(
            [after.theta, after.m, after.v], inputs, [each.theta, each.m, each.v], retain_graph=True
        )
        curved, by_row = torch.autograd.grad(gradient, [theta, weights], through[3], retain_graph=True)
        found[q].index_add_(0, documents, by_row)
        passed.append(State(through[0] + curved, through[1], through[2]))
    return passed
