"""From stored CTI and CCI to citations: thresholds and sums, no model and no torch. Changing a threshold is instant.

sensitive      m_k >= mean(m) + c * std(m)
cues of k      k > 0: the k largest;  0: those >= the mean;  k < 0: those in the top |k| per cent of the value range
score of d     sum over the sensitive tokens of a sentence of the kept cues in d: what the paper's authors' code does,
               in which a token with large gradients speaks louder; or
share of d     mean over these tokens of (kept cues in d) / (kept cues in all documents), 0 to 1: each speaks alike

The authors' code (mirage.py of Betswish/MIRAGE) takes the standard deviation over n tokens, inseq over n - 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from attribution.errors import BadInput
from attribution.prompt.text.parts import Part

Floats = NDArray[np.floating]

MOST = 3  # citations of one sentence


@dataclass(frozen=True)
class CitationSettings:
    """How stored rows become citations; saved with the result."""

    reversed_kl: bool  # inseq's direction of CTI
    cue: Literal["norm", "grad_x_input"]
    cti_std: float  # c: standard deviations above the mean
    cues: int  # k, as above; ignored where cue_std is set
    cue_std: float | None = None  # instead of k: cues of at least mean + this many standard deviations

    @property
    def raw(self) -> bool:
        """Whether cues are summed as they are, and not as shares of each token's."""
        return False

    @property
    def ddof(self) -> int:
        """What is taken from n in standard deviations."""
        return 1


@dataclass(frozen=True)
class AsPublished(CitationSettings):
    """The rules of the paper's authors' code; a kind of its own, so that what was stored under shares stays valid."""

    @property
    def raw(self) -> bool:
        return True

    @property
    def ddof(self) -> int:
        return 0


PRESETS: dict[str, CitationSettings] = {
    "paper": AsPublished(reversed_kl=False, cue="norm", cti_std=1.0, cues=-5),
    "inseq": CitationSettings(reversed_kl=True, cue="norm", cti_std=1.0, cues=0, cue_std=1.0),
    "shares": CitationSettings(reversed_kl=False, cue="norm", cti_std=1.0, cues=-5),
}


@dataclass(frozen=True)
class Citation:
    """A sentence rests on a document. MIRAGE: its share of the cues, 0 to 1, or their sum; ablations: nats lost."""

    sentence: int
    part: int
    score: float


def cite(
    cti: Floats,
    cci: Floats,
    of_token: Sequence[int],
    parts: Sequence[Part],
    sentences: Sequence[int],
    settings: CitationSettings = PRESETS["shares"],
) -> tuple[Citation, ...]:
    """At most three citations for each sentence, best first, from stored rows.

    cti: [A] in the direction of the settings.     cci: [A, P] of the settings' cue, NaN where it is not known.
    sentences: the sentence of each answer token.   Only tokens of documents themselves are cues: headers, labels and
    template tokens are never counted. Raises BadInput where a sensitive token has no CCI.
    """
    documents = {part.part for part in parts if part.kind == "document"}
    inside = [i for i, number in enumerate(of_token) if number in documents]
    cues: dict[int, Floats] = {}
    for k in sensitive(cti, settings.cti_std, settings.ddof):
        if np.isnan(cci[k]).any():
            raise BadInput(f"expected CCI for answer token {k}, found none; compute it with a lower threshold")
        cues[k] = cci[k, inside].astype(np.float64)
    return cite_cues(cues, [of_token[i] for i in inside], sentences, settings)


def cite_cues(
    cues: Mapping[int, Floats],
    owner: Sequence[int],
    sentences: Sequence[int] | Mapping[int, int],
    settings: CitationSettings = PRESETS["shares"],
    most: int = MOST,
) -> tuple[Citation, ...]:
    """The same from the tokens that speak: answer token -> CCI [n] of the tokens inside documents.

    owner: [n] the document of each.   most: citations of a sentence.
    """
    documents = sorted(set(owner))
    if not documents:
        return ()
    member = np.array([[each == document for each in owner] for document in documents])  # [n_documents, n]
    found: dict[int, list[Floats]] = {}
    for k, values in cues.items():
        kept = kept_cues(values, settings)
        if kept.sum() > 0:
            found.setdefault(sentences[k], []).append(member @ kept / (1.0 if settings.raw else kept.sum()))
    together = np.sum if settings.raw else np.mean
    return tuple(
        citation
        for sentence, rows in sorted(found.items())
        for citation in best(sentence, documents, together(rows, axis=0), most)
    )


def best(sentence: int, documents: Sequence[int], scores: Floats, most: int = MOST) -> tuple[Citation, ...]:
    """The citations of one sentence from the scores [n] of its documents: the best ones, positive ones only."""
    order = np.argsort(-scores, kind="stable")[:most].tolist()
    return tuple(Citation(sentence, documents[d], float(scores[d])) for d in order if scores[d] > 0)


def sensitive(cti: Floats, deviations: float, ddof: int = 1) -> tuple[int, ...]:
    """Answer tokens whose CTI is at least mean + deviations * std; ddof: what is taken from their number in the std.

    Of one or two tokens the larger always is: none of two lies a standard deviation above their mean, whatever they
    are. NaN, where it was not measured, is no token's.
    """
    known = cti[np.isfinite(cti)]
    if not known.size:
        return ()
    threshold = known.mean() + (deviations * known.std(ddof=ddof) if known.size > 1 else 0.0)
    threshold = min(threshold, known.max()) if known.size < 3 else threshold
    with np.errstate(invalid="ignore"):
        return tuple(int(k) for k in np.flatnonzero((cti >= threshold) & (cti > 0)))


def kept_cues(values: Floats, settings: CitationSettings) -> Floats:
    """The values that pass the filter, others 0; negative cues spoke against the token and never pass: [n] -> [n]."""
    k = settings.cues
    if not values.size:
        return values
    if settings.cue_std is not None:
        keep = values >= values.mean() + settings.cue_std * (values.std(ddof=settings.ddof) if len(values) > 1 else 0.0)
    elif k > 0:
        keep = np.zeros(len(values), dtype=bool)
        keep[np.argsort(-values, kind="stable")[:k]] = True
    elif k == 0:
        keep = values >= values.mean()
    else:
        low, high = values.min(), values.max()
        keep = values >= high - (high - low) * min(-k, 100) / 100
    return np.where(keep, np.maximum(values, 0.0), 0.0)
