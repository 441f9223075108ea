"""Does an attribution tell the truth about the model? Measures to be shown beside every attribution.

    top drop       log p lost with the part ranked first, against the mean loss over all parts (a random part)
    prediction     Spearman correlation of predicted and measured log-odds over masks that the attribution never saw:
                   the linear datamodelling score of ContextCite, for whatever ranks the parts

Both are arithmetic on what was measured. What needs the model again is in `erasure` and `sanity`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.prompt.context.contextcite import Ablations, Masks, fit, leave_one_out
from attribution.prompt.context.lasso import Floats
from attribution.rank_correlation import spearman

FEWEST = 4  # masks that a rank correlation is taken over


@dataclass(frozen=True)
class TopDrop:
    """Nats of the answer's log p lost when a part is taken out."""

    part: int  # the part ranked first
    top: float
    random: float  # the mean over all parts: what a random choice of part loses


def top_drop(scores: Floats, singles: Ablations, span: Sequence[int] | None = None) -> TopDrop:
    """scores: [N] attribution of the parts; singles: measured over `single_masks`."""
    drops = leave_one_out(singles, span)
    first = int(scores.argmax())
    return TopDrop(first, float(drops[first]), float(drops.mean()))


def prediction(measured: Ablations, span: Sequence[int] | None = None, folds: int = 4) -> float:
    """Spearman correlation of predicted and measured log-odds, every mask predicted by a fit that never saw it.

    Cross-validation over the stored masks. 0 where there are too few masks to leave any out.
    """
    n = len(measured.masks)
    if n < 2 * folds:
        return 0.0
    order = np.random.default_rng(0).permutation(n)
    predicted = np.empty(n)
    for fold in range(folds):
        out = order[fold::folds]
        kept = np.setdiff1d(order, out)
        predicted[out] = fit(Ablations(measured.masks[kept], measured.odds[kept]), span).predict(measured.masks[out])
    return spearman(predicted, measured.span_odds(span))


def agreement(scores: Floats, measured: Ablations, seen: Masks | None = None) -> float | None:
    """Spearman correlation of the summed scores [N] of the parts that stay with the answer's log-odds, over masks.

    seen: masks [S, N] that the scores were made from; they are left out. None where fewer than four others remain.
    """
    known = set() if seen is None else {tuple(mask) for mask in seen.tolist()}
    held = [i for i, mask in enumerate(measured.masks.tolist()) if tuple(mask) not in known]
    if len(held) < FEWEST:
        return None
    return spearman(measured.masks[held] @ scores, measured.span_odds()[held])
