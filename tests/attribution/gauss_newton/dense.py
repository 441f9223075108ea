"""The Gauss–Newton matrix of a tiny model, written out: every logit differentiated, the Hessian of every loss by
autograd."""

import torch
from torch import Tensor

from attribution.curvature.blocks import Preconditioner
from attribution.gauss_newton.vectors import Vectors
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from tests.attribution import tiny


def flat(blocks: tuple[Tensor, ...]) -> Tensor:
    return torch.cat([block.flatten() for block in blocks])


def gauss_newton(tracked: Tracked, documents: list[Row]) -> Tensor:
    """(1/n) Σ_z Σ_t Jᵀ (∂²L/∂z²) J  # [P, P]"""
    total: Tensor | float = 0.0
    for document in documents:
        start = 0
        for width in document.widths:
            ids = torch.tensor(document.ids[start : start + width])
            learned = document.targets()[start : start + width]
            at = [t for t in range(1, width) if learned[t]]
            if at:
                z, J = jacobian(tracked, ids, at)
                for of, slopes, t in zip(z, J, at, strict=True):
                    curved = torch.autograd.functional.hessian(lambda z, y=ids[t]: -z.log_softmax(0)[y], of)
                    total = total + slopes.T @ curved @ slopes
            start += width
    return torch.as_tensor(total) / len(documents)


def jacobian(tracked: Tracked, ids: Tensor, at: list[int]) -> tuple[Tensor, Tensor]:
    """The logits that predict some ids, and their gradients  # [n, V], [n, V, P]"""
    moving = {name: value.requires_grad_() for name, value in tiny.parameters(tracked).items()}
    z = tiny.logits(tracked, moving, ids)[[t - 1 for t in at]]
    each = torch.eye(z.numel(), dtype=z.dtype).view(z.numel(), *z.shape)
    made = torch.autograd.grad(z, list(moving.values()), each, is_grads_batched=True)
    found = dict(zip(moving, made, strict=True))
    modules = dict(tracked.loaded.model.named_modules())
    blocks = []
    for layer in tracked.layers:
        weight = found[f"{layer.name}.weight"]
        weight = weight.mT if type(modules[layer.name]).__name__ == "Conv1D" else weight
        bias = [found[f"{layer.name}.bias"][:, :, None]] if layer.bias else []
        blocks.append(torch.cat([weight, *bias], dim=2).flatten(1))
    return z.detach(), torch.cat(blocks, dim=1).view(*z.shape, -1)


def preferences(tracked: Tracked, pairs: list[Row]) -> Tensor:
    """(1/n) Σ β² σ(βΔ) σ(−βΔ) ∇Δ ∇Δᵀ  # [P, P]"""
    total: Tensor | float = 0.0
    for pair in pairs:
        assert pair.preference is not None
        chosen, rejected = pair.rows()
        g = flat(
            tiny.gradient(tracked, lambda m, c=chosen, r=rejected: tiny.loss(tracked, m, r) - tiny.loss(tracked, m, c))
        )
        sure = torch.sigmoid(torch.tensor(pair.preference.beta * pair.preference.margin, dtype=g.dtype))
        total = total + pair.preference.beta**2 * sure * (1 - sure) * torch.outer(g, g)
    return torch.as_tensor(total) / len(pairs)


def damped(G: Tensor, tracked: Tracked, preconditioner: Preconditioner) -> Tensor:
    """G + D"""
    numbers = [
        torch.full((layer.n_out * layer.n_in,), float(block.damping))  # type: ignore[union-attr]
        for layer, block in zip(tracked.layers, preconditioner.blocks, strict=True)
    ]
    return G + torch.diag(torch.cat(numbers).to(G))


def vectors(tracked: Tracked, n: int, seed: int = 7) -> Vectors:
    """Random ones."""
    generator = torch.Generator().manual_seed(seed)
    return Vectors(
        tuple(
            torch.randn(n, layer.n_out, layer.n_in, generator=generator, dtype=tracked.dtype)
            for layer in tracked.layers
        )
    )


def as_rows(of: Vectors) -> Tensor:
    """[K, P]"""
    return torch.cat([block.flatten(1) for block in of.blocks], dim=1)


def off(found: Tensor, expected: Tensor) -> float:
    """How far two lie apart, as a share of the length: some models compute their norms in float32 whatever they are."""
    return float((found - expected).norm() / expected.norm())
