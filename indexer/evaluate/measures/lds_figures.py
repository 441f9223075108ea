"""The figures of models on random parts: every method, one training against another, and the ceiling: pure."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.measures.lds import Agreement, Retrainings, agreement, averaged, between_seeds, ceiling
from indexer.evaluate.statistics.best_method import leader
from indexer.evaluate.statistics.figures import Figure, estimated
from indexer.evaluate.statistics.two_way import Resampled


def lds_figures(
    by_method: Mapping[str, NDArray[np.floating]],
    by_seed: Sequence[Retrainings],
    how: str,
    plain: str = "lds",
    without_self: str = "lds_without_self",
    behind: str = "",
) -> list[Figure]:
    """LDS of every method on the mean of all seeds that every part was trained with.    by_method: [Q, D] each

    plain, without_self, behind: names of the metrics; "" for none
    """

    def both(method: str, of: Agreement, said: str) -> list[Figure]:
        means = {plain: of.lds, without_self: of.lds_without_self}
        return [estimated(method, name, mean.interval(), said) for name, mean in means.items()]

    whole = complete(by_seed)
    truth, figures = averaged(whole), []
    if len(by_seed) > 1:
        n = min(len(each.measured) for each in by_seed)
        same, k = [each.some(range(n)) for each in by_seed], len(whole)
        said = f"{n} of these models: one training against another, {len(by_seed)} seeds"
        figures += both("another seed", between_seeds(same), said)
        said = "upper bound: what the expected outcome would reach, query by query; "
        said += f"reliability of the mean of {k}, from that of another seed"
        figures += both("ceiling", ceiling(same, k), said)
    found = {method: agreement(of, truth) for method, of in by_method.items()}
    figures += [each for method, of in found.items() for each in both(method, of, how)]
    return figures + (_behind({name: of.lds_without_self for name, of in found.items()}, behind, how) if behind else [])


def complete(by_seed: Sequence[Retrainings]) -> list[Retrainings]:
    """The seeds that every part was trained with."""
    return [each for each in by_seed if len(each.measured) == len(by_seed[0].measured)]


def _behind(means: Mapping[str, Resampled], metric: str, how: str) -> list[Figure]:
    """How far each method lies below the first, by the same models and queries."""
    first = leader({method: of.value for method, of in means.items()})
    others = {method: means[first].less(of) for method, of in means.items() if first and method != first}
    return [estimated(method, metric, of.interval(), f"below {first}; {how}") for method, of in others.items()]
