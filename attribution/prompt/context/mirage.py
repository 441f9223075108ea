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
from math import isnan

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.context.ablated import answer_distribution
from attribution.prompt.context.bits import kl_divergence
from attribution.prompt.context.citations import Citation, CitationSettings, cite, sensitive
from attribution.prompt.saliency.gradient import grad_norm, grad_x_input, jacobian_below_head
from attribution.prompt.saliency.hooks import reading_head
from attribution.prompt.saliency.subject import forward, subject
from attribution.prompt.text.parts import Part, nothing, without_documents


@dataclass(frozen=True)
class Mirage:
    """CTI of every answer token, and CCI; A tokens, P prompt ids."""

    cti: Tensor  # [A] KL(with || without), nats: the paper's direction
    cti_reversed: Tensor  # [A] KL(without || with), nats: inseq's direction
    foil_ids: tuple[int, ...]  # [A]
    cci_norm: Tensor  # [A, P] never negative; NaN where it was not asked for
    cci_grad_x_input: Tensor  # [A, P] signed; NaN where it was not asked for

    def citations(
        self, of_token: Sequence[int], parts: Sequence[Part], sentences: Sequence[int], settings: CitationSettings
    ) -> tuple[Citation, ...]:
        """The citations of each sentence under some thresholds; see `cite`."""
        cti = self.cti_reversed if settings.reversed_kl else self.cti
        cci = self.cci_norm if settings.cue == "norm" else self.cci_grad_x_input
        return cite(cti.numpy(), cci.numpy(), of_token, parts, sentences, settings)


def mirage(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    of_token: Sequence[int],
    parts: Sequence[Part],
    answer_ids: Sequence[int],
    deviations: float | None = None,
) -> Mirage:
    """CTI and CCI for every answer token: two forward passes and A backward passes (batched).

    With `deviations`, CCI only for tokens whose CTI is at least mean + that many standard deviations (over n: the
    lowest of the presets' thresholds); a lower one then needs the model again. The context is the documents; in a
    prompt without documents it is everything but bos and scaffold.
    """
    bare = without_documents(prompt_ids, of_token, parts)
    if len(bare) == len(prompt_ids):
        bare = nothing(prompt_ids, of_token, parts) or tuple(prompt_ids[:1])
    return contrast_contexts(model, prompt_ids, bare, answer_ids, deviations)


def contrast_contexts(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    bare_ids: Sequence[int],
    answer_ids: Sequence[int],
    deviations: float | None = None,
) -> Mirage:
    """The same for any two prompts, with and without the context, as ids."""
    without = answer_distribution(model, bare_ids, answer_ids)  # [A, V]
    foils = without.argmax(-1).tolist()
    asked = subject(model, prompt_ids, answer_ids, foil_ids=foils)
    x = asked.embeddings().requires_grad_()  # [S, D]
    with reading_head(model) as hidden:
        logits = forward(model, asked.n_answer, inputs_embeds=x[None])  # [1, A, V]
    same = torch.tensor([foil == token for foil, token in zip(foils, answer_ids, strict=True)], device=model.device)
    alone = replace(asked, foil_ids=None).values(logits)[0]
    values = torch.where(same, alone, asked.values(logits)[0])  # [A]
    with_context = logits[0].detach().double().log_softmax(-1).cpu()
    cti = kl_divergence(with_context, without)
    wanted = list(range(len(answer_ids)) if deviations is None else sensitive(cti.numpy(), deviations, ddof=0))
    read = x.detach()[: asked.n_prompt]
    kept = torch.promote_types(x.dtype, torch.float32)  # of bfloat16 nothing is rounded twice, and numpy knows none
    norm = torch.full((len(answer_ids), asked.n_prompt), torch.nan, dtype=kept)
    signed = norm.clone()
    if wanted:
        gradients = jacobian_below_head(values[wanted], hidden[0], wanted, x)[:, : asked.n_prompt]  # [K, P, D]
        norm[wanted] = grad_norm(gradients, read).cpu().to(kept)
        signed[wanted] = grad_x_input(gradients, read).cpu().to(kept)
    return Mirage(cti, kl_divergence(without, with_context), tuple(foils), norm, signed)


def as_rows(cci: Tensor) -> list[tuple[int, int, float]]:
    """(position, source_position, score) as the table `saliency` stores them; what was not asked for has no row."""
    return [
        (k, i, score) for k, scores in enumerate(cci.tolist()) for i, score in enumerate(scores) if not isnan(score)
    ]
