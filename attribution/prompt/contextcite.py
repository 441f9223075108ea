"""ContextCite (Cohen-Wang et al. 2024): leave parts out at random, see what the answer loses, fit a sparse line to it.

    y(mask) = log(p / (1 - p)) of a span,  p = its probability when only the masked-in sources are in the prompt
    y(mask) ~ b + sum_n w_n mask_n,  with few w_n that differ from 0;  w_n is the attribution of source n

The model is needed once, for the matrix (masks x answer tokens). Any span is fitted later from the stored matrix,
and up to `EXACT` sources the exact Shapley values come from the same kind of matrix over all subsets.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.errors import BadInput
from attribution.prompt.ablated import answer_odds, log_odds, log_p
from attribution.prompt.lasso import lasso
from attribution.prompt.parts import Part
from attribution.prompt.shapley import EXACT, exact_shapley, subsets

N_MASKS = 64
ALPHA = 0.01  # the paper's


@dataclass(frozen=True)
class Ablations:
    """What the answer was worth under every mask; stored once."""

    masks: Tensor  # [M, N] bool, which sources were in the prompt
    odds: Tensor  # [M, A] float64, log(p / (1 - p)) of every answer token

    def span_odds(self, span: Sequence[int] | None = None) -> Tensor:
        """log(p / (1 - p)) of the span's tokens together (None: the whole answer): [M]."""
        return log_odds(self.span_logp(span))

    def span_logp(self, span: Sequence[int] | None = None) -> Tensor:
        """log p of the span's tokens together, nats: [M]."""
        logp = log_p(self.odds)
        return (logp if span is None else logp[:, list(span)]).sum(1)


@dataclass(frozen=True)
class Fitted:
    """The sparse line: weights [N] in nats of log-odds, its intercept, and its R² on the masks of the fit."""

    weights: Tensor
    intercept: float
    r2: float

    def predict(self, masks: Tensor) -> Tensor:
        """Log-odds of the span under masks [M, N]: [M]."""
        return masks.double() @ self.weights + self.intercept


def sources(of_token: Sequence[int], parts: Sequence[Part], kind: str = "document") -> tuple[int, ...]:
    """The source of every prompt token, from 0 in reading order: parts of one kind with their labels; -1 stays."""
    chosen = [part.part for part in parts if part.kind == kind]
    number = {part: n for n, part in enumerate(chosen)}
    number |= {part.part: number[part.owner] for part in parts if part.owner in number}
    return tuple(number.get(part, -1) for part in of_token)


def half_masks(n: int, n_masks: int = N_MASKS, seed: int = 0) -> Tensor:
    """Masks that keep each source with probability one half, [M, n] bool; all subsets where those are no more."""
    if 2**n <= n_masks:
        return subsets(n)
    return torch.rand(n_masks, n, generator=torch.Generator().manual_seed(seed)) < 0.5


def single_masks(n: int) -> Tensor:
    """Everything, then everything but one source after another: [n + 1, n] bool."""
    return torch.cat([torch.ones(1, n, dtype=torch.bool), ~torch.eye(n, dtype=torch.bool)])


def ablate(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    of_source: Sequence[int],
    answer_ids: Sequence[int],
    masks: Tensor,
    batch: int = 8,
) -> Ablations:
    """The answer's log-odds under every mask [M, N]. Sources that are left out are taken out of the ids, not blanked.

    Raises BadInput where there is no source to leave out.
    """
    if not masks.shape[1]:
        raise BadInput("expected at least one part to leave out, found none; give the prompt documents")
    versions = [
        tuple(token for token, n in zip(prompt_ids, of_source, strict=True) if n < 0 or mask[n])
        for mask in masks.tolist()
    ]
    distinct = list(dict.fromkeys(versions))
    rows = {version: i for i, version in enumerate(distinct)}
    odds = answer_odds(model, distinct, answer_ids, batch)
    return Ablations(masks, odds[[rows[version] for version in versions]])


def fit(measured: Ablations, span: Sequence[int] | None = None, alpha: float = ALPHA) -> Fitted:
    """The sparse line for a span (answer positions; None: all), without the model. Per token, as in the paper."""
    y = measured.span_odds(span)
    n_tokens = measured.odds.shape[1] if span is None else len(span)
    weights, intercept = lasso(measured.masks.double(), y / n_tokens, alpha)
    weights, intercept = weights * n_tokens, intercept * n_tokens
    left = y - (measured.masks.double() @ weights + intercept)
    total = ((y - y.mean()) ** 2).sum()
    r2 = float(1 - (left**2).sum() / total) if total > 0 else 1.0
    return Fitted(weights, intercept, r2)


def leave_one_out(measured: Ablations, span: Sequence[int] | None = None) -> Tensor:
    """The drop in log p of the span when one source is taken out, nats: [N]. `measured` over `single_masks`."""
    logp = measured.span_logp(span)
    return logp[0] - logp[1:]


def shapley_values(measured: Ablations, span: Sequence[int] | None = None) -> Tensor:
    """Exact Shapley values of the span's log p, nats: [N]. `measured` over `subsets`; raises BadInput otherwise."""
    n = measured.masks.shape[1]
    if n > EXACT or len(measured.masks) != 2**n:
        raise BadInput(f"expected all subsets of at most {EXACT} sources, found {len(measured.masks)} masks of {n}")
    return exact_shapley(measured.span_logp(span))
