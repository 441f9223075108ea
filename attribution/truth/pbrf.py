"""Proximal Bregman response: what influence functions of a network really approximate (Bae et al. 2022, 2209.05364).

    θ*(ε) = argmin over θ of  (1/N) Σ_z D(θ, z) + λ/2 ‖θ − θ_s‖² + ε L(z*, θ)
    D(θ, z) = Σ_t KL( p_{θ_s}(· | z_<t) ‖ p_θ(· | z_<t) )

D is the Bregman divergence of the token losses. To first order θ* − θ_s = −ε (G + λI)⁻¹ ∇L(z*), so that with ε = 1/N
the response f(θ*) − f(θ_s) is the influence of z*; found by optimisation, it owes nothing to a factorised G.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from attribution.model.tracked import Tracked
from attribution.passes.batches import Batch, Row, pad

Moving = dict[str, Tensor]


def tracked_parameters(tracked: Tracked) -> Moving:
    """A copy of what is explained, by name; a layer's bias with its weight."""
    wanted = {f"{layer.name}.{what}" for layer in tracked.layers for what in ("weight", "bias")}
    return {
        name: parameter.detach().clone()
        for name, parameter in tracked.loaded.model.named_parameters()
        if name in wanted
    }


def logits(tracked: Tracked, moving: Moving, batch: Batch) -> Tensor:
    """At the targets, in row order  # [n, V]"""
    out = functional_call(tracked.loaded.model, moving, kwargs={"input_ids": batch.ids, "use_cache": False})
    found: Tensor = tracked.widened(out.logits[batch.is_target])
    return found


def responses(
    tracked: Tracked,
    documents: Sequence[Row],
    upweighted: Sequence[int],
    queries: Sequence[Row],
    damping: float,
    share: float = 1.0,
    steps: int = 100,
) -> Tensor:
    """(f(θ*) − f(θ_s)) / share for f = mean log p of each query's tokens, nats  # [Q, U]

    documents: all N of the training; `upweighted`: which of them is seen once more, one after the other. damping: λ,
    absolute. share: ε·N, below 1 to see a document a little more often only, where the response is linear. steps: of
    L-BFGS, at most.
    """
    start = tracked_parameters(tracked)
    everything = pad(documents, range(len(documents)), tracked.device)
    asked = [pad([query], [0], tracked.device) for query in queries]
    with torch.no_grad():
        before = logits(tracked, start, everything).log_softmax(-1)
        f_before = torch.stack([_mean_logp(tracked, start, each) for each in asked])
    found = []
    for i in upweighted:
        more = pad([documents[i]], [0], tracked.device)
        moved = _solve(tracked, start, everything, before, more, len(documents), damping, share, steps)
        with torch.no_grad():
            found.append(torch.stack([_mean_logp(tracked, moved, each) for each in asked]) - f_before)
    return torch.stack(found, dim=1) / share


def objective(
    tracked: Tracked,
    moving: Moving,
    start: Moving,
    of: Batch,
    before: Tensor,
    more: Batch,
    n: int,
    damping: float,
    share: float,
) -> Tensor:
    """N times the proximal Bregman objective    before: [n_targets, V] log-probabilities at θ_s"""
    after = logits(tracked, moving, of).log_softmax(-1)
    divergence = (before.exp() * (before - after)).sum()
    proximity = sum(((moving[name] - start[name]) ** 2).sum() for name in start)
    loss = cross_entropy(logits(tracked, moving, more), more.labels, reduction="sum")
    return divergence + 0.5 * n * damping * proximity + share * loss


def _solve(
    tracked: Tracked,
    start: Moving,
    of: Batch,
    before: Tensor,
    more: Batch,
    n: int,
    damping: float,
    share: float,
    steps: int,
) -> Moving:
    moving = {name: value.clone().requires_grad_() for name, value in start.items()}
    optimiser = torch.optim.LBFGS(
        list(moving.values()), max_iter=steps, history_size=20, line_search_fn="strong_wolfe", tolerance_change=1e-12
    )

    def closure() -> Tensor:
        optimiser.zero_grad()
        value = objective(tracked, moving, start, of, before, more, n, damping, share)
        torch.autograd.backward(value)
        return value

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    return {name: value.detach() for name, value in moving.items()}


def _mean_logp(tracked: Tracked, moving: Moving, of: Batch) -> Tensor:
    return -cross_entropy(logits(tracked, moving, of), of.labels)
