"""The answer's probability under many versions of a prompt: batches of rows of unequal length, padded on the right.

Right padding is exact for a causal model: no token of a row attends to what stands behind it, and positions count
from the row's own beginning. Lengths are carried, never guessed from a padding id.
"""

import inspect
from collections.abc import Collection, Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.errors import BadInput
from attribution.model.measurement import margin
from attribution.prompt.context.contextcite import Ablations, Masks


@torch.inference_mode()
def answer_distribution(model: PreTrainedModel, prompt_ids: Sequence[int], answer_ids: Sequence[int]) -> Tensor:
    """log p of every vocabulary entry at every answer token: [A, V] float64, CPU. No prompt at all is not possible."""
    return _logits(model, [prompt_ids], answer_ids)[0].double().log_softmax(-1).cpu()


@torch.inference_mode()
def answer_odds(
    model: PreTrainedModel, prompts: Sequence[Sequence[int]], answer_ids: Sequence[int], batch: int = 8
) -> Tensor:
    """log(p / (1 - p)) of every answer token under every version of the prompt, in their order: [M, A] float64, CPU.

    `batch` rows of similar length share a forward pass.
    """
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    target = torch.tensor(list(answer_ids), device=model.device)
    odds = torch.empty(len(prompts), len(answer_ids), dtype=torch.float64)
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        logits = _logits(model, [prompts[i] for i in rows], answer_ids).double()  # [B, A, V]
        odds[rows] = margin(logits, target).cpu()
    return odds


def without(prompt_ids: Sequence[int], places: Collection[int]) -> tuple[int, ...]:
    """The prompt with some places taken out; its first token where none would stay: none at all is not possible."""
    return tuple(token for i, token in enumerate(prompt_ids) if i not in places) or tuple(prompt_ids[:1])


def ablate(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    of_source: Sequence[int],
    answer_ids: Sequence[int],
    masks: Masks,
    batch: int = 8,
) -> Ablations:
    """The answer's log-odds under every mask [M, N]. Sources that are left out are taken out of the ids, not blanked.

    Raises BadInput where there is no source to leave out.
    """
    if not masks.shape[1]:
        raise BadInput("expected at least one part to leave out, found none; give the prompt documents")
    versions = [
        without(prompt_ids, {i for i, n in enumerate(of_source) if n >= 0 and not mask[n]}) for mask in masks.tolist()
    ]
    distinct = list(dict.fromkeys(versions))
    rows = {version: i for i, version in enumerate(distinct)}
    odds = answer_odds(model, distinct, answer_ids, batch).numpy()
    return Ablations(masks, odds[[rows[version] for version in versions]])


def _logits(model: PreTrainedModel, prompts: Sequence[Sequence[int]], answer_ids: Sequence[int]) -> Tensor:
    """The logits that predict the answer: [B, A, V]."""
    read = [[*prompt, *answer_ids[:-1]] for prompt in prompts]
    width = max(len(row) for row in read)
    ids = torch.zeros(len(read), width, dtype=torch.long)
    mask = torch.zeros_like(ids)
    for i, row in enumerate(read):
        ids[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1
    first = torch.tensor([len(prompt) - 1 for prompt in prompts])
    wanted = first[:, None] + torch.arange(len(answer_ids))  # [B, A] places in the row
    places = wanted.unique()
    inputs = {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device), "use_cache": False}
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        logits = model(**inputs, logits_to_keep=places.to(model.device)).logits
    else:
        logits = model(**inputs).logits[:, places.to(model.device)]  # [B, n_places, V]
    column = torch.searchsorted(places, wanted).to(logits.device)
    rows = torch.arange(len(read), device=logits.device)[:, None]
    picked: Tensor = logits[rows, column]
    return picked
