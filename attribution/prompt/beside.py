"""What stands beside every attribution of one answer: how far it agrees with what the model does.

completeness_gap     |sum of scores - what they must sum to| / |what they must sum to|, the worst token
comprehensiveness    nats of the answer's log p lost without the tokens ranked first       } against tokens
sufficiency          nats lost with nothing but them                                       } chosen at random
top_drop             nats lost without the document ranked first, against a random document
prediction           rank correlation of predicted and measured log-odds over masks that were not fitted
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.asked import Asked
from attribution.prompt.context.citations import Citation
from attribution.prompt.context.contextcite import Ablations, Masks, fit, leave_one_out, shapley_values
from attribution.prompt.context.lasso import Floats
from attribution.prompt.context.method_names import SHAPLEY
from attribution.prompt.context.mirage import Mirage
from attribution.prompt.faithful.erasure import aopc
from attribution.prompt.faithful.faithfulness import agreement, prediction, top_drop
from attribution.prompt.saliency.saliency import Saliency


@dataclass(frozen=True)
class Faithfulness:
    """One measure of one method; `random` is what chance would give, where there is such a number."""

    method: str
    metric: str
    value: float
    random: float | None = None
    detail: str = ""


def of_tokens(
    model: PreTrainedModel,
    asked: Asked,
    maps: Mapping[str, Saliency],
    found: Mirage | None,
    n_random: int,
    batch: int,
) -> tuple[Faithfulness, ...]:
    """Measures of everything that ranks tokens, by its mean over the answer; only the prompt's own words may go."""
    measures = [
        Faithfulness(name, "completeness_gap", float(each.gap.max()), None, each.baseline)
        for name, each in maps.items()
        if each.gap is not None
    ]
    scores = token_scores(asked, maps, found)
    if not scores or not n_random:
        return tuple(measures)
    kinds = {part.part: part.kind for part in asked.parts}
    removable = [kinds.get(number, "scaffold") != "scaffold" for number in asked.of_token]
    erased = aopc(model, asked.prompt_ids, asked.answer_ids, scores, removable, n_random=n_random, batch=batch)
    for name, each in erased.items():
        measures += [
            Faithfulness(name, "comprehensiveness", each.comprehensiveness, each.random_comprehensiveness),
            Faithfulness(name, "sufficiency", each.sufficiency, each.random_sufficiency),
        ]
    return tuple(measures)


def of_documents(
    asked: Asked,
    maps: Mapping[str, Saliency],
    found: Mirage | None,
    citations: Mapping[str, Sequence[Citation]],
    ablations: Mapping[str, Ablations],
) -> tuple[Faithfulness, ...]:
    """Measures of everything that ranks documents. No model: arithmetic on the ablations."""
    half, single = ablations["half"], ablations["single"]
    ranked: dict[str, tuple[Floats, Masks | None]] = {  # scores [N], and the masks that they were made from
        name: (_by_document(asked, scores), None) for name, scores in token_scores(asked, maps, found).items()
    }
    ranked["mirage"] = (_cited(asked, citations.get("mirage", ())), None)
    ranked["contextcite"] = (fit(half).weights, half.masks)
    ranked["leave_one_out"] = (leave_one_out(single), single.masks)
    if "all" in ablations:
        ranked[SHAPLEY] = (shapley_values(ablations["all"]), ablations["all"].masks)
    measures = [Faithfulness("contextcite", "prediction", prediction(half))]
    for name, (scores, seen) in ranked.items():
        if not scores.any():
            continue
        drop = top_drop(scores, single)
        measures.append(Faithfulness(name, "top_drop", drop.top, drop.random))
        told = agreement(scores, half, seen)
        if told is not None:
            measures.append(Faithfulness(name, "prediction", told))
    return tuple(measures)


def token_scores(asked: Asked, maps: Mapping[str, Saliency], found: Mirage | None) -> dict[str, Tensor]:
    """Name -> scores [P] of the prompt's tokens, the mean over the answer; no scores where nothing was ranked."""
    n = len(asked.prompt_ids)
    scores = {name: each.scores[:, :n].mean(0) for name, each in maps.items()}
    if found is not None:
        scores |= {
            "mirage_norm": found.cci_norm.float().nanmean(0),
            "mirage_grad_x_input": found.cci_grad_x_input.float().nanmean(0),
        }
    return {name: torch.nan_to_num(each) for name, each in scores.items()}


def _by_document(asked: Asked, scores: Tensor) -> Floats:
    """[P] -> [N]: the sum over each document's own tokens."""
    of_token = torch.tensor(list(asked.of_token))
    return np.array([float(scores[of_token == part].sum()) for part in asked.documents])


def _cited(asked: Asked, cited: Sequence[Citation]) -> Floats:
    scores = np.zeros(len(asked.documents))
    for citation in cited:
        scores[asked.documents.index(citation.part)] += citation.score
    return scores
