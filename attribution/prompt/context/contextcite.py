"""ContextCite (Cohen-Wang et al. 2024): leave parts out at random, see what the answer loses, fit a sparse line to it.

    y(mask) = log(p / (1 - p)) of a span,  p = its probability when only the masked-in sources are in the prompt
    y(mask) ~ b + sum_n w_n mask_n,  with few w_n that differ from 0;  w_n is the attribution of source n

The model is needed once, for the matrix (masks x answer tokens), see `ablated`. This file is arithmetic on that
matrix: any span is fitted later, and up to `EXACT` sources the exact Shapley values come from one over all subsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from attribution.prompt.context.lasso import Floats, lasso
from attribution.prompt.saliency.shapley import EXACT, exact_shapley, subsets
from attribution.prompt.text.parts import Part

Masks = NDArray[np.bool_]
N_MASKS = 64
ALPHA = 0.01  # the paper's


@dataclass(frozen=True)
class Ablations:
    """What the answer was worth under every mask; stored once."""

    masks: Masks  # [M, N], which sources were in the prompt
    odds: Floats  # [M, A] float64, log(p / (1 - p)) of every answer token

    def span_odds(self, span: Sequence[int] | None = None) -> Floats:
        """log(p / (1 - p)) of the span's tokens together (None: the whole answer): [M]."""
        return log_odds(self.span_logp(span))

    def span_logp(self, span: Sequence[int] | None = None) -> Floats:
        """log p of the span's tokens together, nats: [M]."""
        chosen = self.odds if span is None else self.odds[:, list(span)]
        return np.asarray(log_p(chosen).sum(1))


@dataclass(frozen=True)
class SparseFit:
    """The sparse line: weights [N] in nats of log-odds, its intercept, and its R² on the masks of the fit."""

    weights: Floats
    intercept: float
    r2: float

    def predict(self, masks: Masks) -> Floats:
        """Log-odds of the span under masks [M, N]: [M]."""
        line: Floats = masks @ self.weights + self.intercept
        return line


def sources(of_token: Sequence[int], parts: Sequence[Part], kinds: Sequence[str] = ("document",)) -> tuple[int, ...]:
    """The source of every prompt token, from 0 in reading order: parts of some kinds with their labels; -1 stays."""
    chosen = [part.part for part in parts if part.kind in kinds]
    number = {part: n for n, part in enumerate(chosen)}
    number |= {part.part: number[part.owner] for part in parts if part.owner in number}
    return tuple(number.get(part, -1) for part in of_token)


def half_masks(n: int, n_masks: int = N_MASKS, seed: int = 0) -> Masks:
    """Masks that keep each source with probability one half, [M, n]; all subsets where those are no more."""
    if 2**n <= n_masks:
        return subsets(n)
    return np.random.default_rng(seed).random((n_masks, n)) < 0.5


def single_masks(n: int) -> Masks:
    """Everything, then everything but one source after another: [n + 1, n]."""
    return np.concatenate([np.ones((1, n), dtype=bool), ~np.eye(n, dtype=bool)])


def fit(measured: Ablations, span: Sequence[int] | None = None, alpha: float = ALPHA) -> SparseFit:
    """The sparse line for a span (answer positions; None: all), without the model. Per token, as in the paper."""
    y = measured.span_odds(span)
    n_tokens = measured.odds.shape[1] if span is None else len(span)
    weights, intercept = lasso(measured.masks.astype(np.float64), y / n_tokens, alpha)
    weights, intercept = weights * n_tokens, intercept * n_tokens
    left = y - (measured.masks @ weights + intercept)
    total = ((y - y.mean()) ** 2).sum()
    r2 = float(1 - (left**2).sum() / total) if total > 0 else 1.0
    return SparseFit(weights, intercept, r2)


def leave_one_out(measured: Ablations, span: Sequence[int] | None = None) -> Floats:
    """The drop in log p of the span when one source is taken out, nats: [N]. `measured` over `single_masks`."""
    logp = measured.span_logp(span)
    return np.asarray(logp[0] - logp[1:])


def shapley_values(measured: Ablations, span: Sequence[int] | None = None) -> Floats:
    """Exact Shapley values of the span's log p, nats: [N]. `measured` over `subsets`; raises BadInput otherwise."""
    n = measured.masks.shape[1]
    if n > EXACT or len(measured.masks) != 2**n:
        raise BadInput(f"expected all subsets of at most {EXACT} sources, found {len(measured.masks)} masks of {n}")
    return exact_shapley(measured.span_logp(span))


def log_p(odds: Floats) -> Floats:
    """log p = -log(1 + exp(-odds)), nats."""
    return -np.logaddexp(0.0, -odds)


def log_odds(logp: Floats) -> Floats:
    """log p - log(1 - p), kept finite where p rounds to 1; the inverse of `log_p`."""
    return logp - np.log(-np.expm1(np.minimum(logp, -1e-14)))
