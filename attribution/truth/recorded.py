"""A training as a function of its documents' weights: its steps, recorded, taken by AdamW on one flat vector.

    L_t(θ, w) = (1/n_t) Σ_{z in batch t} w_z Σ_s −log p(z_s | z_<s)        n_t targets, whatever the weights
    g  = ∇L_t · min(1, c / (‖∇L_t‖ + 1e-6))
    m' = β₁ m + (1 − β₁) g        v' = β₂ v + (1 − β₂) g²
    θ' = (1 − η_t d) θ − η_t · m' / (1 − β₁^t) / (√(v' / (1 − β₂^t)) + ε)

With all w at 1 it is the training itself: AdamW as torch has it (Loshchilov and Hutter 2019, arXiv 1711.05101),
with clipped gradients.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from transformers import PreTrainedModel

from attribution.loading.attention import plain_attention

IGNORED = -100  # label of a position without a target
LEAST = 1e-36  # below any v that counts: the root of 0 has no derivative, and a parameter without gradient needs none


@dataclass(frozen=True)
class Step:
    """One batch. documents: which document each row is of (several windows may be of one)."""

    tokens: Tensor  # [B, T]
    labels: Tensor  # [B, T] the next token, IGNORED where there is none
    documents: Tensor  # [B]
    rate: float  # η_t


@dataclass(frozen=True)
class AdamW:
    """Constants of the optimiser: β₁, β₂, d, c, ε."""

    betas: tuple[float, float]
    decay: float
    clip: float
    eps: float = 1e-8


@dataclass(frozen=True)
class State:
    """θ, m and v before a step  # [P] each"""

    theta: Tensor
    m: Tensor
    v: Tensor


@dataclass(frozen=True)
class Training:
    """A model as it begins, and all that is done to it; N documents."""

    model: PreTrainedModel
    steps: Sequence[Step]
    optimiser: AdamW
    n_documents: int

    def start(self) -> State:
        """Before the first step."""
        theta = torch.cat([p.detach().flatten() for p in self.model.parameters()])
        return State(theta, torch.zeros_like(theta), torch.zeros_like(theta))

    def gradient(self, t: int, theta: Tensor, weights: Tensor) -> Tensor:
        """∇L_t, before it is clipped; differentiable itself.    weights: [B] of the rows of the batch   -> [P]"""
        of = self.steps[t]
        scored = of.labels != IGNORED
        logits = self.logits(theta, of.tokens)[scored]  # [n_t, V]
        losses = cross_entropy(logits, of.labels[scored], reduction="none")
        loss = (losses * weights[scored.nonzero()[:, 0]]).sum() / len(losses)
        [found] = torch.autograd.grad(loss, [theta], create_graph=True)
        return found

    def moved(self, t: int, of: State, gradient: Tensor) -> State:
        """What step t makes of θ, m and v."""
        (first, second), n, rate = self.optimiser.betas, t + 1, self.steps[t].rate
        g = gradient * (self.optimiser.clip / (gradient.norm() + 1e-6)).clamp_max(1.0)
        m = first * of.m + (1 - first) * g
        v = second * of.v + (1 - second) * g * g
        size = (v.clamp_min(LEAST) / (1 - second**n)).sqrt() + self.optimiser.eps
        return State((1 - rate * self.optimiser.decay) * of.theta - rate / (1 - first**n) * m / size, m, v)

    def step(self, t: int, of: State, weights: Tensor | None = None) -> State:
        """Step t, with these weights of the documents, 1 where none are given.    weights: [D]"""
        weights = torch.ones(self.n_documents, dtype=of.theta.dtype) if weights is None else weights
        theta = of.theta.detach().requires_grad_()
        gradient = self.gradient(t, theta, weights[self.steps[t].documents]).detach()
        with torch.no_grad():
            return self.moved(t, of, gradient)

    def end(self, weights: Tensor | None = None) -> Tensor:
        """θ after the last step  # [P]"""
        state = self.start()
        with self.differentiable():
            for t in range(len(self.steps)):
                state = self.step(t, state, weights)
        return state.theta

    def logits(self, theta: Tensor, tokens: Tensor) -> Tensor:
        """[B, T, V]"""
        shapes = {name: p.shape for name, p in self.model.named_parameters()}
        parts = theta.split([shape.numel() for shape in shapes.values()])
        named = {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
        found: Tensor = functional_call(self.model, named, kwargs={"input_ids": tokens, "use_cache": False}).logits
        return found

    def mean_logp(self, theta: Tensor, ids: Sequence[int], first: int) -> Tensor:
        """f = mean log p of `ids[first:]`, nats a token."""
        row = torch.tensor([tuple(ids)])
        return -cross_entropy(self.logits(theta, row)[0, first - 1 : -1], row[0, first:])

    @contextmanager
    def differentiable(self) -> Iterator[None]:
        """The fused attention has no second derivative."""
        with plain_attention(self.model):
            yield
