"""One answer under explanation: the model, the ids, the answer tokens in question and the number explained for each.

    log p        f_k = log p(y_k given all before it)
    contrast     f_k = log p(y_k) - log p(foil_k) = the difference of the two logits        "why y rather than foil"

Answer token k stands at index P + k of prompt + answer and is predicted by the logits of index P + k - 1, so the last
answer token is never read. This is the only place of the folder that knows the shift.
"""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.errors import BadInput
from attribution.model.measurement import contrast, logp


@dataclass(frozen=True)
class Subject:
    """What is explained. P prompt ids, S = P + (last position) ids that are read, K answer tokens in question."""

    model: PreTrainedModel
    ids: Tensor  # [S] prompt and answer, up to the last token that can have an effect
    n_prompt: int  # P
    positions: tuple[int, ...]  # [K] answer positions, ascending
    target_ids: Tensor  # [K]
    foil_ids: Tensor | None  # [K]

    @property
    def n_answer(self) -> int:
        """Answer tokens whose logits are computed: up to the last one in question."""
        return len(self.ids) - self.n_prompt + 1

    def embeddings(self) -> Tensor:
        """The input embeddings of the ids, detached: [S, D]."""
        embedded: Tensor = self.model.get_input_embeddings()(self.ids)
        return embedded.detach()

    def measure(self, embeddings: Tensor) -> Tensor:
        """f for every answer token in question: [B, S, D] -> [B, K], nats."""
        return self.values(forward(self.model, self.n_answer, inputs_embeds=embeddings))

    def values(self, logits: Tensor) -> Tensor:
        """f from the logits of the answer: [B, n_answer, V] -> [B, K]."""
        rows = logits[:, list(self.positions)]  # [B, K, V]
        rows = rows if rows.dtype == torch.float64 else rows.float()
        return logp(rows, self.target_ids) if self.foil_ids is None else contrast(rows, self.target_ids, self.foil_ids)

    def visible(self) -> Tensor:
        """Which ids lie before each answer token in question: [K, S] bool."""
        stop = self.n_prompt + torch.tensor(self.positions, device=self.ids.device)
        return torch.arange(len(self.ids), device=self.ids.device)[None] < stop[:, None]


def subject(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    answer_ids: Sequence[int],
    foil_ids: Sequence[int] | None = None,
    positions: Sequence[int] | None = None,
) -> Subject:
    """Check and place on the model's device. `foil_ids`: one per answer token; `positions`: None explains them all.

    Raises BadInput for an empty prompt or answer, a foil count that differs from the answer's, positions outside it.
    """
    n_answer = len(answer_ids)
    if not prompt_ids or not n_answer:
        raise BadInput(
            f"expected a prompt and an answer of at least one token each, found {len(prompt_ids)} and {n_answer}; "
            "generate an answer first"
        )
    if foil_ids is not None and len(foil_ids) != n_answer:
        raise BadInput(f"expected one foil for each of {n_answer} answer tokens, found {len(foil_ids)}")
    wanted = tuple(range(n_answer)) if positions is None else tuple(sorted(set(positions)))
    if not wanted or wanted[0] < 0 or wanted[-1] >= n_answer:
        raise BadInput(f"expected answer positions from 0 to {n_answer - 1}, found {list(wanted)}")
    device = model.device
    return Subject(
        model=model,
        ids=torch.tensor([*prompt_ids, *answer_ids[: wanted[-1]]], device=device),
        n_prompt=len(prompt_ids),
        positions=wanted,
        target_ids=torch.tensor([answer_ids[k] for k in wanted], device=device),
        foil_ids=None if foil_ids is None else torch.tensor([foil_ids[k] for k in wanted], device=device),
    )


def forward(model: PreTrainedModel, n_last: int, **inputs: Tensor) -> Tensor:
    """Logits of the last `n_last` positions, [B, n_last, V]; the head is computed for no other where it can be told."""
    if "logits_to_keep" in inspect.signature(model.forward).parameters:
        logits: Tensor = model(**inputs, use_cache=False, logits_to_keep=n_last).logits
        return logits
    logits = model(**inputs, use_cache=False).logits
    return logits[:, -n_last:]
