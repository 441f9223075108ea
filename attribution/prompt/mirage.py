"""MIRAGE (Qi et al. 2024, "Model Internals-based Answer Attribution"): what the context did, from the model's inside.

    CTI   m_k = KL(p(. with context) || p(. without))                  which answer tokens depend on the context
    CCI   s_ki = |d f_k / d x_i|_2  or  <d f_k / d x_i, x_i>           on which of its tokens
          f_k = log p(y_k) - log p(foil_k),  foil_k = arg max without the context
          f_k = log p(y_k)  where that is y_k itself: the context made the same choice more or less sure

One pass with the context (its graph serves K backward passes) and one without. What is returned is stored as rows;
thresholds and citations come after, without the model (see citations).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.ablated import answer_distribution
from attribution.prompt.bits import kl_divergence
from attribution.prompt.gradient import grad_norm, grad_x_input, jacobian
from attribution.prompt.parts import Part, nothing, without_documents
from attribution.prompt.subject import forward, subject

Cue = Literal["norm", "grad_x_input"]


@dataclass(frozen=True)
class Mirage:
    """CTI and CCI of every answer token; A tokens, P prompt ids."""

    cti: Tensor  # [A] KL(with || without), nats: the paper's direction
    cti_reversed: Tensor  # [A] KL(without || with), nats: inseq's direction
    foil_ids: tuple[int, ...]  # [A]
    cci_norm: Tensor  # [A, P] never negative
    cci_grad_x_input: Tensor  # [A, P] signed

    def cci(self, cue: Cue) -> Tensor:
        return self.cci_norm if cue == "norm" else self.cci_grad_x_input


def mirage(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    of_token: Sequence[int],
    parts: Sequence[Part],
    answer_ids: Sequence[int],
) -> Mirage:
    """CTI and CCI for every answer token: two forward passes and A backward passes (batched).

    The context is the documents; in a prompt without documents it is everything but bos and scaffold.
    """
    bare = without_documents(prompt_ids, of_token, parts)
    if len(bare) == len(prompt_ids):
        bare = nothing(prompt_ids, of_token, parts) or tuple(prompt_ids[:1])
    return contrast_contexts(model, prompt_ids, bare, answer_ids)


def contrast_contexts(
    model: PreTrainedModel, prompt_ids: Sequence[int], bare_ids: Sequence[int], answer_ids: Sequence[int]
) -> Mirage:
    """The same for any two prompts, with and without the context, as ids."""
    without = answer_distribution(model, bare_ids, answer_ids)  # [A, V]
    foils = without.argmax(-1).tolist()
    asked = subject(model, prompt_ids, answer_ids, foil_ids=foils)
    x = asked.embeddings().requires_grad_()  # [S, D]
    logits = forward(model, asked.n_answer, inputs_embeds=x[None])  # [1, A, V]
    same = torch.tensor([foil == token for foil, token in zip(foils, answer_ids, strict=True)], device=model.device)
    alone = replace(asked, foil_ids=None).values(logits)[0]
    values = torch.where(same, alone, asked.values(logits)[0])  # [A]
    gradients = jacobian(values, x)[:, : asked.n_prompt]  # [A, P, D]
    read = x.detach()[: asked.n_prompt]
    with_context = logits[0].detach().double().log_softmax(-1).cpu()
    return Mirage(
        cti=kl_divergence(with_context, without),
        cti_reversed=kl_divergence(without, with_context),
        foil_ids=tuple(foils),
        cci_norm=grad_norm(gradients, read).cpu(),
        cci_grad_x_input=grad_x_input(gradients, read).cpu(),
    )


def as_rows(cci: Tensor) -> list[tuple[int, int, float]]:
    """(position, source_position, score) as the table `saliency` stores them."""
    return [(k, i, score) for k, scores in enumerate(cci.tolist()) for i, score in enumerate(scores)]


def from_rows(rows: Sequence[tuple[int, int, float]], n_answer: int, n_prompt: int) -> Tensor:
    """The inverse of `as_rows`: [A, P]; rows beyond the prompt are not part of the context and are left out."""
    cci = torch.zeros(n_answer, n_prompt)
    for position, source, score in rows:
        if source < n_prompt:
            cci[position, source] = score
    return cci
