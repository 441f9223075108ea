"""Gradient methods: one forward pass for the whole answer, then one batched backward pass over its tokens.

    gradient norm       s_ki = |df_k / dx_i|_2                  unsigned
    gradient x input    s_ki = <df_k / dx_i, x_i>               signed; Shrikumar et al. 2016

x_i is the input embedding of token i. Causality makes it one pass: f_k depends on no token after it, so the row of
the full pass is the row of a pass that stops at k. captum (Saliency, InputXGradient) gives the same one k at a time.
"""

import torch
from torch import Tensor

from attribution.prompt.subject import Subject

BACKWARDS_AT_ONCE = 16  # bounds the memory: a batched backward pass holds this many copies of the activations' gradient


def embedding_gradients(subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
    """Values [K], gradients [K, S, D] and the embeddings [S, D] that they were taken at."""
    x = subject.embeddings().requires_grad_()  # [S, D]
    values = subject.measure(x[None])[0]  # [K]
    return values.detach(), jacobian(values, x), x.detach()


def grad_norm(gradients: Tensor, x: Tensor) -> Tensor:
    """[K, S, D] -> [K, S], never negative; x is not used."""
    return gradients.norm(dim=-1)


def grad_x_input(gradients: Tensor, x: Tensor) -> Tensor:
    """[K, S, D], [S, D] -> [K, S], signed."""
    return (gradients * x).sum(-1)


def jacobian(values: Tensor, x: Tensor) -> Tensor:
    """d values_k / dx for values [K] of one graph: [K, *x.shape]. The graph is freed."""
    n = len(values)
    rows = []
    for start in range(0, n, BACKWARDS_AT_ONCE):
        stop = min(n, start + BACKWARDS_AT_ONCE)
        unit = torch.eye(n, dtype=values.dtype, device=values.device)[start:stop]  # [k, K]
        (part,) = torch.autograd.grad(values, x, unit, is_grads_batched=True, retain_graph=stop < n)
        rows.append(part)
    return torch.cat(rows)
