"""The fitted curvature of one model."""

from dataclasses import dataclass

from torch import Tensor

from attribution.passes.token_rates import Coverage


@dataclass(frozen=True)
class Eigenbasis:
    """Curvature of one linear layer in its eigenbasis."""

    Q_A: Tensor  # [in, in]   of the inputs' covariance
    Q_S: Tensor  # [out, out] of the output gradients' covariance
    lam: Tensor  # [out, in]  Λ = E over documents of (Q_Sᵀ ∇L Q_A)²


@dataclass(frozen=True)
class Factors:
    """Fitted curvature, in the order of `tracked.layers`."""

    names: tuple[str, ...]
    linear: tuple[Eigenbasis, ...]
    embedding: tuple[Tensor, ...]  # [V, H] the diagonal F of each embedding block
    content_hash: str
    coverage: Coverage | None = None  # of the embedding; None without one, and where an older build has fitted it
