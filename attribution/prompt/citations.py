"""From stored CTI and CCI to citations: thresholds and sums, no model. Changing a threshold is instant.

sensitive      m_k >= mean(m) + c * std(m)
cues of k      k > 0: the k largest;  0: those >= the mean;  k < 0: those in the top |k| per cent of the value range
share of d     mean over the sensitive tokens of a sentence of (kept cues in d) / (kept cues in all documents)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from attribution.errors import BadInput
from attribution.prompt.mirage import Mirage, sensitive
from attribution.prompt.parts import Part

MOST = 3  # citations of one sentence


@dataclass(frozen=True)
class Settings:
    """How stored rows become citations; saved with the result."""

    reversed_kl: bool  # inseq's direction of CTI
    cue: Literal["norm", "grad_x_input"]
    cti_std: float  # c: standard deviations above the mean
    cues: int  # k, as above; ignored where cue_std is set
    cue_std: float | None = None  # instead of k: cues of at least mean + this many standard deviations


PRESETS: dict[str, Settings] = {
    "paper": Settings(reversed_kl=False, cue="norm", cti_std=1.0, cues=-5),
    "inseq": Settings(reversed_kl=True, cue="norm", cti_std=1.0, cues=0, cue_std=1.0),
}


@dataclass(frozen=True)
class Citation:
    """A sentence rests on a document. MIRAGE: its share of the cues, 0 to 1; ablations: nats lost without it."""

    sentence: int
    part: int
    score: float


def cite(
    found: Mirage,
    of_token: Sequence[int],
    parts: Sequence[Part],
    sentences: Sequence[int],
    settings: Settings = PRESETS["paper"],
) -> tuple[Citation, ...]:
    """At most three citations for each sentence, best first. `sentences`: the sentence of each answer token.

    Only tokens of documents themselves are cues: headers, labels and template tokens are never counted. Raises
    BadInput where a sensitive token has no CCI, because `mirage` was asked for fewer tokens.
    """
    documents = [part.part for part in parts if part.kind == "document"]
    inside = [i for i, number in enumerate(of_token) if number in set(documents)]
    if not inside:
        return ()
    owner = torch.tensor([of_token[i] for i in inside])
    member = torch.stack([owner == d for d in documents]).double()  # [n_documents, n_inside]
    shares: dict[int, list[Tensor]] = {}
    for k in sensitive(found.cti_reversed if settings.reversed_kl else found.cti, settings.cti_std):
        if bool(found.cci(settings.cue)[k].isnan().any()):
            raise BadInput(f"expected CCI for answer token {k}, found none; compute it with a lower threshold")
        cues = kept_cues(found.cci(settings.cue)[k, inside].double(), settings)
        if cues.sum() > 0:
            shares.setdefault(sentences[k], []).append(member @ cues / cues.sum())
    return tuple(
        citation
        for sentence, rows in sorted(shares.items())
        for citation in best(sentence, documents, torch.stack(rows).mean(0))
    )


def best(sentence: int, documents: Sequence[int], scores: Tensor) -> tuple[Citation, ...]:
    """The citations of one sentence from the scores [n] of its documents: at most three, positive ones only."""
    order = scores.argsort(descending=True, stable=True)[:MOST].tolist()
    return tuple(Citation(sentence, documents[d], float(scores[d])) for d in order if scores[d] > 0)


def kept_cues(values: Tensor, settings: Settings) -> Tensor:
    """The values that pass the filter, others 0; negative cues spoke against the token and never pass: [n] -> [n]."""
    k = settings.cues
    if settings.cue_std is not None:
        keep = values >= values.mean() + settings.cue_std * (values.std() if len(values) > 1 else 0.0)
    elif k > 0:
        keep = torch.zeros_like(values, dtype=torch.bool)
        keep[values.topk(min(k, len(values))).indices] = True
    elif k == 0:
        keep = values >= values.mean()
    else:
        low, high = values.min(), values.max()
        keep = values >= high - (high - low) * min(-k, 100) / 100
    return torch.where(keep, values, torch.zeros_like(values)).clamp_min(0)
