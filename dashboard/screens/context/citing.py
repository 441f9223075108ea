"""From stored CTI and CCI to citations, without a model: moving a threshold is arithmetic (MIRAGE, Qi et al. 2024).

sensitive      m_k ≥ mean(m) + c · std(m), m_k = KL of the token with and without the context
cues of k      k > 0: the k largest;  0: those ≥ the mean;  k < 0: those in the top |k| per cent of the value range;
               None: those ≥ mean + std, which is inseq's rule
share of d     mean over the sensitive tokens of a sentence of (kept cues in d) / (kept cues in all documents)

The formulas are those that the indexer cites with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from attribution.prompt import stored as refit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Citation:
    """Sentence `sentence` rests on part `part` with this share of its cues, 0 to 1."""

    sentence: int
    part: int
    share: float


def sensitive(cti: Floats, deviations: float) -> list[int]:
    """Indices of tokens with a CTI of at least mean + deviations · std; of one or two the larger; NaN never is."""
    return list(refit.sensitive(cti, deviations))


def kept_cues(values: Floats, k: int | None) -> Floats:
    """[n] the values that pass the filter k, others 0; negative cues spoke against the token and never pass."""
    return np.asarray(refit.kept_cues(values, _rule(k)), dtype=np.float64)


def cite(
    cues: Mapping[int, Floats],  # answer token -> [n] CCI of the tokens inside documents
    owner: Sequence[int],  # [n] the part that each of them belongs to
    sentences: Mapping[int, int],  # answer token -> its sentence
    k: int | None,
) -> list[Citation]:
    """Citations of every sentence, best first; only sensitive tokens should be among `cues`."""
    found = refit.cite_cues(cues, owner, sentences, _rule(k), most=len(owner))
    return [Citation(each.sentence, each.part, each.score) for each in found]


def _rule(k: int | None) -> refit.CitationSettings:
    return refit.PRESETS["inseq"] if k is None else replace(refit.PRESETS["paper"], cues=k)
