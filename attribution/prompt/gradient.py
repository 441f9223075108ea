"""Gradient methods: one forward pass for the whole answer, then one batched backward pass over its tokens.

    gradient norm       s_ki = |df_k / dx_i|_2                  unsigned
    gradient x input    s_ki = <df_k / dx_i, x_i>               signed; Shrikumar et al. 2016

x_i is the input embedding of token i. Causality makes it one pass: f_k depends on no token after it, so the row of
the full pass is the row of a pass that stops at k. captum (Saliency, InputXGradient) gives the same one k at a time.
"""

import torch
from torch import Tensor

from attribution.prompt.subject import Subject

AT_ONCE = 16  # a batched backward pass holds this many copies of one layer's gradients
LONG = 256  # tokens above which fewer rows go at once, because their attention gradients grow with the square


def embedding_gradients(subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
    """Values [K], gradients [K, S, D] and the embeddings [S, D] that they were taken at."""
    x = subject.embeddings().requires_grad_()  # [S, D]
    values = subject.measure(x[None])[0]  # [K]
    return values.detach(), jacobian(values, x), x.detach()


def grad_norm(gradients: Tensor, x: Tensor) -> Tensor:
    """[K, S, D] -> [K, S], never negative; x is not used."""
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=-1)
    return norms


def grad_x_input(gradients: Tensor, x: Tensor) -> Tensor:
    """[K, S, D], [S, D] -> [K, S], signed."""
    return (gradients * x).sum(-1)


def jacobian(values: Tensor, x: Tensor) -> Tensor:
    """d values_k / dx for values [K] of one graph: [K, *x.shape]. The graph is freed."""
    n, length = len(values), x.shape[-2]
    at_once = max(1, int(AT_ONCE * min(1.0, (LONG / length) ** 2)))
    rows = []
    for start in range(0, n, at_once):
        stop = min(n, start + at_once)
        unit = torch.eye(n, dtype=values.dtype, device=values.device)[start:stop]  # [k, K]
        (part,) = torch.autograd.grad(values, x, unit, is_grads_batched=True, retain_graph=stop < n)
        rows.append(part)
    return torch.cat(rows)
