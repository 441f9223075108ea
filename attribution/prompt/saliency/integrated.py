"""Integrated gradients (Sundararajan et al. 2017), over the input embeddings or over the output of one block.

    s_ki = <x_i - b_i, integral_0^1 df_k/dx_i (b + a (x - b)) da>,   sum_i s_ki = f_k(x) - f_k(b)   (completeness)

With `scan` > 0 the steps lie where f bends (see quadrature), else they are captum's Gauss-Legendre nodes. One path
serves all answer tokens, because no f_k depends on a token after it: `steps` forward passes and `steps` batched
backward passes in all, not `steps` for each token.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from attribution.prompt.saliency.gradient import jacobian
from attribution.prompt.saliency.hooks import block, reading_block, replacing_block
from attribution.prompt.saliency.quadrature import bend_following, gauss_legendre
from attribution.prompt.saliency.subject import Subject, forward


def integrated_gradients(subject: Subject, absent: Tensor, steps: int, scan: int, batch: int) -> tuple[Tensor, Tensor]:
    """Scores [K, S] along the line from the embeddings `absent` [S, D]; f(x) - f(b) [K], their sum up to the gap."""
    return integrate(subject.measure, subject.embeddings(), absent, steps, scan, batch)


def layer_integrated_gradients(
    subject: Subject, absent: Tensor, layer: int, steps: int, scan: int, batch: int
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
            return subject.values(forward(subject.model, subject.n_answer, inputs_embeds=x.expand(len(hidden), -1, -1)))

    return integrate(measure, inside, outside, steps, scan, batch)


def integrate(
    measure: Callable[[Tensor], Tensor], x: Tensor, b: Tensor, steps: int, scan: int, batch: int
) -> tuple[Tensor, Tensor]:
    """Scores [K, S] and f(x) - f(b) [K] for a measure [B, S, D] -> [B, K]; `batch` rows share a forward pass."""
    with torch.no_grad():
        places = torch.linspace(0, 1, max(scan, 1) + 1, dtype=x.dtype, device=x.device)
        seen = torch.cat([measure(b + a[:, None, None] * (x - b)) for a in places.split(batch)])  # [M + 1, K]
    nodes, weights = bend_following(seen, steps) if scan else gauss_legendre(steps)
    total: Tensor | float = 0.0
    for a, w in zip(nodes.to(x).split(batch), weights.to(x).split(batch), strict=True):
        path = (b + a[:, None, None] * (x - b)).requires_grad_()  # [B, S, D]
        values = measure(path).sum(0)  # [K]: rows of a batch do not see one another
        total = total + torch.einsum("b,kbsd->ksd", w, jacobian(values, path))
    return torch.einsum("ksd,sd->ks", total, x - b), seen[-1] - seen[0]
