"""From stored CTI and CCI to citations, without a model: moving a threshold is arithmetic (MIRAGE, Qi et al. 2024).

sensitive      m_k ≥ mean(m) + c · std(m), m_k = KL of the token with and without the context
cues of k      k > 0: the k largest;  0: those ≥ the mean;  k < 0: those in the top |k| per cent of the value range;
               None: those ≥ mean + std, which is inseq's rule
share of d     (kept cues in d) / (kept cues in all documents), both summed over the sensitive tokens of a sentence,
               which is the order of the paper's authors' code; or the mean of these tokens' own shares

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


def sensitive(cti: Floats, deviations: float, preset: str = "shares") -> list[int]:
    """Indices of tokens with a CTI of at least mean + deviations · std; of one or two the larger; NaN never is."""
    return list(refit.sensitive(cti, deviations, refit.PRESETS[preset].ddof))


def kept_cues(values: Floats, k: int | None) -> Floats:
    """[n] the values that pass the filter k, others 0; negative cues spoke against the token and never pass."""
    return np.asarray(refit.kept_cues(values, _rule(k)), dtype=np.float64)


def cite(
    cues: Mapping[int, Floats],  # answer token -> [n] CCI of the tokens inside documents
    owner: Sequence[int],  # [n] the part that each of them belongs to
    sentences: Mapping[int, int],  # answer token -> its sentence
    k: int | None,
    preset: str = "shares",
) -> list[Citation]:
    """Citations of every sentence, best first; only sensitive tokens should be among `cues`."""
    rule = _rule(k, preset)
    found = refit.cite_cues(cues, owner, sentences, rule, most=len(owner))
    whole: dict[int, float] = {}  # of a sentence: summed cues have the unit of a gradient, and no reader's scale
    for each in found:
        whole[each.sentence] = whole.get(each.sentence, 0.0) + each.score
    of = {sentence: total if rule.raw else 1.0 for sentence, total in whole.items()}
    return [Citation(each.sentence, each.part, each.score / of[each.sentence]) for each in found]


def _rule(k: int | None, preset: str = "shares") -> refit.CitationSettings:
    return refit.PRESETS["inseq"] if k is None else replace(refit.PRESETS[preset], cues=k)
