"""Gradient methods: one forward pass for the whole answer, then one batched backward pass over its tokens.

    gradient norm       s_ki = |df_k / dx_i|_2                  unsigned
    gradient x input    s_ki = <df_k / dx_i, x_i>               signed; Shrikumar et al. 2016

x_i is the input embedding of token i. Causality makes it one pass: f_k depends on no token after it, so the row of
the full pass is the row of a pass that stops at k. captum (Saliency, InputXGradient) gives the same one k at a time.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from attribution.prompt.saliency.hooks import reading_head
from attribution.prompt.saliency.subject import Subject

AT_ONCE = 16  # a batched backward pass holds this many copies of one layer's gradients
LONG = 256  # tokens above which fewer rows go at once, because their attention gradients grow with the square


def embedding_gradients(subject: Subject) -> tuple[Tensor, Tensor, Tensor]:
    """Values [K], gradients [K, S, D] and the embeddings [S, D] that they were taken at."""
    x = subject.embeddings().requires_grad_()  # [S, D]
    with reading_head(subject.model) as hidden:
        values = subject.measure(x[None])[0]  # [K]
    return values.detach(), jacobian_below_head(values, hidden[0], subject.positions, x), x.detach()


def grad_norm(gradients: Tensor, x: Tensor) -> Tensor:
    """[K, S, D] -> [K, S], never negative; x is not used."""
    norms: Tensor = torch.linalg.vector_norm(gradients, dim=-1)
    return norms


def grad_x_input(gradients: Tensor, x: Tensor) -> Tensor:
    """[K, S, D], [S, D] -> [K, S], signed."""
    return (gradients * x).sum(-1)


def jacobian(values: Tensor, x: Tensor) -> Tensor:
    """d values_k / dx for values [K] of one graph: [K, *x.shape]. The graph is freed."""
    return _backward(values, torch.eye(len(values), dtype=values.dtype, device=values.device), x)


def jacobian_below_head(values: Tensor, hidden: Tensor, rows: Sequence[int], x: Tensor) -> Tensor:
    """The same where values_k reads row rows_k of the head's input `hidden` [1, n, D] and no other.

    The head is the widest matrix of a small model; one backward pass through it serves all rows.
    """
    (at_head,) = torch.autograd.grad(values.sum(), hidden, retain_graph=True)  # [1, n, D]
    each = torch.arange(len(rows), device=hidden.device)
    row = torch.tensor(list(rows), device=hidden.device)
    start = torch.zeros(len(rows), *hidden.shape, dtype=hidden.dtype, device=hidden.device)
    start[each, 0, row] = at_head[0, row]
    return _backward(hidden, start, x)


def _backward(y: Tensor, start: Tensor, x: Tensor) -> Tensor:
    """Vector-Jacobian products of y with every row of `start` [K, *y.shape]: [K, *x.shape], some rows at a time."""
    n = len(start)
    at_once = max(1, int(AT_ONCE * min(1.0, (LONG / x.shape[-2]) ** 2)))
    parts = []
    for first in range(0, n, at_once):
        last = min(n, first + at_once)
        (part,) = torch.autograd.grad(y, x, start[first:last], is_grads_batched=True, retain_graph=last < n)
        parts.append(part)
    return torch.cat(parts)
