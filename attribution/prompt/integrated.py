"""Integrated gradients (Sundararajan et al. 2017), over the input embeddings or over the output of one block.

    s_ki = <x_i - b_i, integral_0^1 df_k/dx_i (b + a (x - b)) da>,   sum_i s_ki = f_k(x) - f_k(b)   (completeness)

The integral is Gauss-Legendre, as captum's. One path serves all answer tokens, because no f_k depends on a token
after it: `steps` forward passes and `steps` batched backward passes in all, not `steps` for each token.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from attribution.prompt.gradient import jacobian
from attribution.prompt.layers import block, reading_block, replacing_block
from attribution.prompt.subject import Subject, forward


def integrated_gradients(subject: Subject, absent: Tensor, steps: int, batch: int) -> tuple[Tensor, Tensor]:
    """Scores [K, S] of the path from the embeddings `absent` [S, D], and the change f(x) - f(b) [K] they should sum to."""
    return integrate(subject.measure, subject.embeddings(), absent, steps, batch)


def layer_integrated_gradients(
    subject: Subject, absent: Tensor, layer: int, steps: int, batch: int
) -> tuple[Tensor, Tensor]:
    """The same along a line between two outputs of block `layer`: its output for x and its output for b."""
    x = subject.embeddings()
    module = block(subject.model, layer)
    with torch.no_grad(), reading_block(module) as outputs:
        subject.measure(x[None])
        subject.measure(absent[None])
    inside, outside = (output[0] for output in outputs)  # [S, D] each

    def measure(hidden: Tensor) -> Tensor:
        with replacing_block(module, hidden):
            return subject.values(
                forward(subject.model, subject.n_answer, inputs_embeds=x.expand(len(hidden), -1, -1))
            )

    return integrate(measure, inside, outside, steps, batch)


def integrate(
    measure: Callable[[Tensor], Tensor], x: Tensor, b: Tensor, steps: int, batch: int
) -> tuple[Tensor, Tensor]:
    """Scores [K, S] and f(x) - f(b) [K] for a measure [B, S, D] -> [B, K]; `batch` steps share a forward pass."""
    nodes, weights = gauss_legendre(steps)
    nodes, weights = nodes.to(x), weights.to(x)
    total: Tensor | float = 0.0
    for a, w in zip(nodes.split(batch), weights.split(batch), strict=True):
        path = (b + a[:, None, None] * (x - b)).requires_grad_()  # [B, S, D]
        values = measure(path).sum(0)  # [K]: rows of a batch do not see one another
        total = total + torch.einsum("b,kbsd->ksd", w, jacobian(values, path))
    with torch.no_grad():
        change = (measure(x[None]) - measure(b[None]))[0]
    return torch.einsum("ksd,sd->ks", total, x - b), change


def gauss_legendre(steps: int) -> tuple[Tensor, Tensor]:
    """Nodes and weights on [0, 1], exact for polynomials of degree 2 steps - 1: [steps], [steps], float64."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return torch.from_numpy((nodes + 1) / 2), torch.from_numpy(weights / 2)
