"""From stored CTI and CCI to citations, without a model: moving a threshold is arithmetic (MIRAGE, Qi et al. 2024).

sensitive      m_k ≥ mean(m) + c · std(m), m_k = KL of the token with and without the context
cues of k      k > 0: the k largest;  0: those ≥ the mean;  k < 0: those in the top |k| per cent of the value range;
               None: those ≥ mean + std, which is inseq's rule
share of d     mean over the sensitive tokens of a sentence of (kept cues in d) / (kept cues in all documents)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Citation:
    """Sentence `sentence` rests on part `part` with this share of its cues, 0 to 1."""

    sentence: int
    part: int
    share: float


def sensitive(cti: Floats, deviations: float) -> list[int]:
    """Indices of tokens with a CTI of at least mean + deviations · std; NaN never is; a lone token needs the mean."""
    known = cti[np.isfinite(cti)]
    if not known.size:
        return []
    spread = float(known.std(ddof=1)) * deviations if known.size > 1 else 0.0
    with np.errstate(invalid="ignore"):
        return np.flatnonzero((cti >= known.mean() + spread) & (cti > 0)).tolist()


def kept_cues(values: Floats, k: int | None) -> Floats:
    """[n] the values that pass the filter k, others 0; negative cues spoke against the token and never pass."""
    if not values.size:
        return values
    if k is None:
        keep = values >= values.mean() + (values.std(ddof=1) if values.size > 1 else 0.0)
    elif k > 0:
        keep = np.zeros(values.size, dtype=bool)
        keep[np.argsort(-values, kind="stable")[:k]] = True
    elif k == 0:
        keep = values >= values.mean()
    else:
        low, high = values.min(), values.max()
        keep = values >= high - (high - low) * min(-k, 100) / 100
    return np.where(keep, np.maximum(values, 0.0), 0.0)


def cite(
    cues: Mapping[int, Floats],  # answer token -> [n] CCI of the tokens inside documents
    owner: Sequence[int],  # [n] the part that each of them belongs to
    sentences: Mapping[int, int],  # answer token -> its sentence
    k: int | None,
) -> list[Citation]:
    """Citations of every sentence, best first; only sensitive tokens should be among `cues`."""
    parts = sorted(set(owner))
    member = np.array([[each == part for each in owner] for part in parts], dtype=np.float64)  # [parts, n]
    shares: dict[int, list[Floats]] = {}
    for token, values in cues.items():
        kept = kept_cues(values, k)
        if kept.sum() > 0:
            shares.setdefault(sentences.get(token, 0), []).append(member @ kept / kept.sum())
    found = []
    for sentence, rows in sorted(shares.items()):
        mean = np.mean(rows, axis=0)
        found += [Citation(sentence, parts[i], float(mean[i])) for i in np.argsort(-mean, kind="stable") if mean[i] > 0]
    return found
