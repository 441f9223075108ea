"""How far methods agree on the documents of a prompt: arithmetic on citations, no widget.

first in common     share of the sentences that both cite documents for, of those for which they put the same one first
rank correlation    Spearman's ρ over all (sentence, document) pairs, a document without a score counting 0
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from attribution.rank_correlation import spearman
from dashboard.screens.context.citing import Citation

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    one: str
    other: str
    first_in_common: float
    n_sentences: int  # that both cite documents for
    correlation: float  # NaN where one of them says the same of everything


def agreements(found: Mapping[str, Sequence[Citation]], parts: Sequence[int]) -> list[Agreement]:
    """Every pair of methods that cite documents for one and the same sentence, in the order given."""
    made = []
    for (one, a), (other, b) in combinations(found.items(), 2):
        numbers = sorted({each.sentence for each in a} | {each.sentence for each in b})
        x, y = (_matrix(each, numbers, parts) for each in (a, b))  # [sentences, documents]
        both = (x.max(1, initial=0) > 0) & (y.max(1, initial=0) > 0)
        if not both.any():
            continue
        same = float(np.mean(x[both].argmax(1) == y[both].argmax(1)))
        made.append(Agreement(one, other, same, int(both.sum()), spearman(x.ravel(), y.ravel(), math.nan)))
    return made


def _matrix(found: Sequence[Citation], numbers: Sequence[int], parts: Sequence[int]) -> Floats:
    places = {part: i for i, part in enumerate(parts)}
    matrix = np.zeros((len(numbers), len(parts)))
    for each in found:
        if each.part in places:
            matrix[numbers.index(each.sentence), places[each.part]] = each.share
    return matrix
