"""Conjugate gradients, preconditioned, for K right-hand sides side by side (Hestenes & Stiefel 1952; Saad 2003, 9.1).

    A x = b,  M ≈ A:    x = 0,  r = b,  p = z = M⁻¹ r
    each step:          α = ⟨r, z⟩ / ⟨p, A p⟩,  x += α p,  r −= α A p
                        z = M⁻¹ r,  β = ⟨r, z⟩ / ⟨r, z⟩ before,  p = z + β p

After one step x is M⁻¹ b times a number; every step brings x nearer in ⟨·, A ·⟩. ⟨b, x⟩ = Σ α ⟨r, z⟩, since every p is
conjugate to the steps before. A right-hand side that is solved to `TOLERANCE` stays as it is, whatever the others do.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from attribution.gauss_newton.vectors import Vectors

Operator = Callable[[Vectors], Vectors]
TOLERANCE = 1e-6  # of ‖r‖ / ‖b‖: about what float32 resolves
HELD = 5  # vectors for each right-hand side: x, r, p, and two that are made on the way


@dataclass(frozen=True)
class Solved:
    """K solutions."""

    x: Vectors
    products: Tensor  # [K] ⟨b, x⟩
    residual: Tensor  # [K] ‖b − A x‖ / ‖b‖ as the recursion has it; 0 of b = 0


def conjugate_gradients(A: Operator, inverse: Operator, b: Vectors, steps: int, tolerance: float = TOLERANCE) -> Solved:
    """At most so many steps, a product with A each. b is overwritten.

    A: positive definite   inverse: M⁻¹, likewise
    """
    r = b
    lengths = r.dot(r).sqrt()
    x = Vectors(tuple(torch.zeros_like(block) for block in r.blocks))
    z = inverse(r)
    p, rz = Vectors(tuple(block.clone() for block in z.blocks)), r.dot(z)
    products = torch.zeros_like(rz)
    residual = (lengths > 0).to(rz)
    for step in range(steps):
        open_ = residual > tolerance
        if not bool(open_.any()):
            break
        Ap = A(p)
        alpha = _ratio(rz, p.dot(Ap), open_)
        x.add_(p, alpha)
        r.add_(Ap, -alpha)
        del Ap
        products += alpha * rz
        residual = torch.where(open_, r.dot(r).sqrt() / lengths, residual)
        if step == steps - 1:
            break
        z = inverse(r)
        before, rz = rz, r.dot(z)
        p.times_(_ratio(rz, before, open_)).add_(z, open_.to(rz))
    return Solved(x, products, residual)


def _ratio(one: Tensor, other: Tensor, where: Tensor) -> Tensor:
    """0 where a right-hand side is solved."""
    return torch.where(where & (other > 0), one / other, torch.zeros_like(one))
