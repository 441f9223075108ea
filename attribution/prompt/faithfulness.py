"""Does an attribution tell the truth about the model? Four measures, to be shown beside every attribution.

    top drop             log p lost with the part ranked first, against the mean loss over all parts (a random part)
    comprehensiveness    mean over q of  log p(x) - log p(x without its top q per cent)        high is faithful
    sufficiency          mean over q of  log p(x) - log p(only the top q per cent)             low is faithful
    prediction           Spearman correlation of predicted and measured log-odds over masks that were not fitted
    sanity               Spearman correlation with the attribution of the same model with shuffled weights: near 0

AOPC: DeYoung et al. 2020 (ERASER), q in 10, 20, 50. Prediction: the linear datamodelling score of ContextCite.
Sanity: Adebayo et al. 2018; a method that explains random weights alike explains the text, not the model.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.ablated import answer_odds, log_p
from attribution.prompt.contextcite import Ablations, fit, leave_one_out

QUANTILES = (0.1, 0.2, 0.5)


@dataclass(frozen=True)
class TopDrop:
    """Nats of the answer's log p lost when a part is taken out."""

    part: int  # the part ranked first
    top: float
    random: float  # the mean over all parts: what a random choice of part loses


@dataclass(frozen=True)
class Aopc:
    """Nats of the answer's log p, mean over the quantiles; with what random tokens of the same number would give."""

    comprehensiveness: float
    sufficiency: float
    random_comprehensiveness: float
    random_sufficiency: float


def top_drop(scores: Tensor, singles: Ablations, span: Sequence[int] | None = None) -> TopDrop:
    """scores: [N] attribution of the parts; singles: measured over `single_masks`. No model is needed."""
    drops = leave_one_out(singles, span)
    first = int(scores.argmax())
    return TopDrop(first, float(drops[first]), float(drops.mean()))


def aopc(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    answer_ids: Sequence[int],
    scores: Tensor,
    removable: Sequence[bool],
    span: Sequence[int] | None = None,
    n_random: int = 4,
    batch: int = 8,
) -> Aopc:
    """Comprehensiveness and sufficiency of token scores [P] over the prompt.

    Tokens are taken out of the ids; those that are not `removable` (bos, scaffold) always stay and have no rank.
    """
    free = [i for i, may in enumerate(removable) if may]
    order = [free[i] for i in scores[free].argsort(descending=True, stable=True).tolist()]
    shuffle = torch.Generator().manual_seed(0)
    orders = [order] + [
        [free[i] for i in torch.randperm(len(free), generator=shuffle).tolist()] for _ in range(n_random)
    ]
    versions: list[Sequence[int]] = [prompt_ids]
    for ranked in orders:
        for q in QUANTILES:
            top = set(ranked[: ceil(q * len(ranked))])
            rest = set(ranked) - top
            versions += [[t for i, t in enumerate(prompt_ids) if i not in gone] for gone in (top, rest)]
    logp = log_p(answer_odds(model, versions, answer_ids, batch))
    total = (logp if span is None else logp[:, list(span)]).sum(1)
    drops = (total[0] - total[1:]).reshape(len(orders), len(QUANTILES), 2).mean(1)  # [1 + n_random, 2]
    return Aopc(
        comprehensiveness=float(drops[0, 0]),
        sufficiency=float(drops[0, 1]),
        random_comprehensiveness=float(drops[1:, 0].mean()),
        random_sufficiency=float(drops[1:, 1].mean()),
    )


def prediction(measured: Ablations, span: Sequence[int] | None = None, folds: int = 4) -> float:
    """Spearman correlation of predicted and measured log-odds, every mask predicted by a fit that never saw it.

    Cross-validation over the stored masks: no model is needed. 0 where there are too few masks to leave any out.
    """
    n = len(measured.masks)
    if n < 2 * folds:
        return 0.0
    order = torch.randperm(n, generator=torch.Generator().manual_seed(0))
    predicted = torch.empty(n, dtype=measured.odds.dtype)
    for fold in range(folds):
        out = order[fold::folds]
        kept = torch.ones(n, dtype=torch.bool)
        kept[out] = False
        line = fit(Ablations(measured.masks[kept], measured.odds[kept]), span)
        predicted[out] = line.predict(measured.masks[out])
    return spearman(predicted, measured.span_odds(span))


def shuffled(model: PreTrainedModel, seed: int = 0) -> PreTrainedModel:
    """A copy in which the entries of every weight matrix are permuted: same distribution, nothing learnt."""
    copied = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in copied.parameters():
            if parameter.dim() > 1:
                order = torch.randperm(parameter.numel(), generator=generator).to(parameter.device)
                parameter.copy_(parameter.flatten()[order].view_as(parameter))
    return copied


def sanity(scores: Tensor, shuffled_scores: Tensor, visible: Tensor) -> float:
    """Mean over answer tokens of the Spearman correlation between two saliencies [K, S]; `visible` [K, S] bool."""
    rows = [
        spearman(true[see], other[see])
        for true, other, see in zip(scores, shuffled_scores, visible, strict=True)
        if int(see.sum()) > 2
    ]
    return sum(rows) / len(rows) if rows else 0.0


def spearman(a: Tensor, b: Tensor) -> float:
    """Rank correlation with mean ranks for ties; 0 where one of the two is constant."""
    ra, rb = _ranks(a), _ranks(b)
    ra, rb = ra - ra.mean(), rb - rb.mean()
    scale = float(ra.norm() * rb.norm())
    return float(ra @ rb) / scale if scale > 0 else 0.0


def _ranks(values: Tensor) -> Tensor:
    _, inverse, counts = values.detach().cpu().double().unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0).double()
    ranks: Tensor = (last - (counts.double() - 1) / 2)[inverse]
    return ranks
