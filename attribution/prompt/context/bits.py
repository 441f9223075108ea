"""How much of every answer token came from the question, from the documents and from memory: exact, in bits.

    S(c) = -log2 p(y_k given c and the answer so far)
    S(nothing) = gain(question) + gain(documents) + S(full)
    gain(question)  = S(nothing) - S(without documents)        gain(documents) = S(without documents) - S(full)

Gains may be negative: a part can make a token less likely. A fact copied once looks like memory at its later
mentions, because the answer so far then holds it: read totals over spans.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import torch
from torch import Tensor
from transformers import PreTrainedModel

from attribution.prompt.context.ablated import answer_distribution
from attribution.prompt.text.parts import Part, nothing, without_documents


@dataclass(frozen=True)
class PromptBits:
    """One entry per answer token, float64. Context is the documents, or the whole prompt where there are none."""

    nothing: Tensor  # [A] bits
    question: Tensor  # [A] bits gained
    documents: Tensor  # [A] bits gained
    full: Tensor  # [A] bits that remain
    foil_ids: tuple[int, ...]  # [A] what the model would have said without the context (arg max)
    foil_logp: Tensor  # [A] log p of the foil with the context, nats
    kl: Tensor  # [A] KL(with || without context), nats: MIRAGE's CTI in the paper's direction
    kl_reversed: Tensor  # [A] KL(without || with), nats: inseq's direction
    js: Tensor  # [A] Jensen-Shannon divergence, nats, at most log 2


def prompt_bits(
    model: PreTrainedModel,
    prompt_ids: Sequence[int],
    of_token: Sequence[int],
    parts: Sequence[Part],
    answer_ids: Sequence[int],
) -> PromptBits:
    """Three forward passes (two without documents). `of_token`: the part of each prompt id, from `token_parts`."""
    empty = nothing(prompt_ids, of_token, parts) or tuple(prompt_ids[:1])
    bare = without_documents(prompt_ids, of_token, parts)
    full = answer_distribution(model, prompt_ids, answer_ids)  # [A, V]
    absent = answer_distribution(model, empty, answer_ids)
    asked = full if len(bare) == len(prompt_ids) else answer_distribution(model, bare, answer_ids)
    context = absent if len(bare) == len(prompt_ids) else asked
    s_nothing, s_question, s_full = (_bits(logp, answer_ids) for logp in (absent, asked, full))
    foils = context.argmax(-1)
    return PromptBits(
        nothing=s_nothing,
        question=s_nothing - s_question,
        documents=s_question - s_full,
        full=s_full,
        foil_ids=tuple(foils.tolist()),
        foil_logp=full.gather(1, foils[:, None])[:, 0],
        kl=kl_divergence(full, context),
        kl_reversed=kl_divergence(context, full),
        js=jensen_shannon(full, context),
    )


def kl_divergence(p: Tensor, q: Tensor) -> Tensor:
    """KL(p || q) = sum_v p_v (log p_v - log q_v) from log-probabilities [..., V] -> [...], nats."""
    return torch.where(p > -torch.inf, p.exp() * (p - q), torch.zeros_like(p)).sum(-1).clamp_min(0)


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """JS = (KL(p || m) + KL(q || m)) / 2 with m = (p + q) / 2: symmetric, at most log 2; [..., V] -> [...], nats."""
    m = torch.logaddexp(p, q) - log(2)
    return (kl_divergence(p, m) + kl_divergence(q, m)) / 2


def _bits(logp: Tensor, answer_ids: Sequence[int]) -> Tensor:
    return -logp.gather(1, torch.tensor(list(answer_ids))[:, None])[:, 0] / log(2)
