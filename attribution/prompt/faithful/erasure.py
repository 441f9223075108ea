"""Erasure: what the answer loses without the tokens that an attribution ranks first, and with nothing but them.

    comprehensiveness    mean over q of  log p(x) - log p(x without its top q per cent)        high is faithful
    sufficiency          mean over q of  log p(x) - log p(only the top q per cent)             low is faithful

The area over the perturbation curve (AOPC) of ERASER, DeYoung et al. 2020, with q in 10, 20, 50.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.context.ablated import answer_odds, without

QUANTILES = (0.1, 0.2, 0.5)


@dataclass(frozen=True)
class Aopc:
    """Nats of the answer's log p, mean over the quantiles; with what random tokens of the same number would give."""

    comprehensiveness: float
    sufficiency: float
    random_comprehensiveness: float
    random_sufficiency: float


def aopc(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    answer_ids: Sequence[int],
    scores: Mapping[str, Tensor],
    removable: Sequence[bool],
    span: Sequence[int] | None = None,
    n_random: int = 4,
    batch: int = 8,
) -> dict[str, Aopc]:
    """Comprehensiveness and sufficiency of some attributions of the prompt's tokens: name -> scores [P].

    Tokens are taken out of the ids, of which the first stays where none would; those that are not `removable` (bos,
    scaffold) always stay and have no rank. All attributions are compared with the same random orders, and a version of
    the prompt is read once.
    """
    free = [i for i, may in enumerate(removable) if may]
    shuffle = torch.Generator().manual_seed(0)
    orders = [[free[i] for i in each[free].argsort(descending=True, stable=True).tolist()] for each in scores.values()]
    orders += [[free[i] for i in torch.randperm(len(free), generator=shuffle).tolist()] for _ in range(n_random)]
    versions = [tuple(prompt_ids)]
    for ranked in orders:
        for q in QUANTILES:
            top = set(ranked[: ceil(q * len(ranked))])
            rest = set(ranked) - top
            versions += [without(prompt_ids, gone) for gone in (top, rest)]
    distinct = list(dict.fromkeys(versions))
    row = {version: i for i, version in enumerate(distinct)}
    logp = torch.nn.functional.logsigmoid(answer_odds(model, distinct, answer_ids, batch))
    total = (logp if span is None else logp[:, list(span)]).sum(1)[[row[version] for version in versions]]
    drops = (total[0] - total[1:]).reshape(len(orders), len(QUANTILES), 2).mean(1)  # [methods + n_random, 2]
    random = drops[len(scores) :].mean(0).tolist()
    return {name: Aopc(float(drops[i, 0]), float(drops[i, 1]), random[0], random[1]) for i, name in enumerate(scores)}
