"""Training on what a method chooses for a target set: which half is asked, what is chosen, what it was worth. Pure.

select@10: loss on the half of the set that no method was shown, nats a token, after training on 10 % of the documents
select_gain@10: by how much it is below that of as many random documents, text by text
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.evaluate.measures.removal import top
from indexer.evaluate.statistics.figures import Figure, figure

SHARES = (0.1, 0.3)
RANDOM, EVERYTHING = "random", "everything"

Places = NDArray[np.int64]
Losses = NDArray[np.float64]


@dataclass(frozen=True)
class Chosen:
    """Documents that a model is trained on. share: of all, in per cent."""

    method: str
    share: int
    seed: int
    documents: Places  # ascending


def halves(n_texts: int, seed: int) -> tuple[Places, Places]:
    """Texts that methods are shown, and those that the loss is measured on."""
    order = np.random.default_rng([seed, 5]).permutation(n_texts)
    return np.sort(order[: n_texts // 2]), np.sort(order[n_texts // 2 :])


def chosen(by_method: Mapping[str, NDArray[np.floating]], n_documents: int, seed: int) -> list[Chosen]:
    """The best of every method's scores ([D] each), as many random ones, and everything."""
    found = []
    for share in SHARES:
        n, per_cent = max(1, round(share * n_documents)), round(100 * share)
        found += [Chosen(method, per_cent, seed, np.sort(top(of, n))) for method, of in by_method.items()]
        drawn = np.random.default_rng([seed, 6, n]).choice(n_documents, size=n, replace=False)
        found.append(Chosen(RANDOM, per_cent, seed, np.sort(drawn)))
    return [*found, Chosen(EVERYTHING, 100, seed, np.arange(n_documents))]


def choosing_figures(measured: Sequence[tuple[Chosen, Losses]], how: str) -> list[Figure]:
    """measured: of each model the loss of every held-out text, nats a token; those of one seed are of the same texts"""
    losses = {(of.method, of.share, of.seed): values for of, values in measured}
    seeds = sorted({of.seed for of, _ in measured})

    def together(method: str, share: int) -> Losses:
        return np.concatenate([losses[method, share, seed] for seed in seeds])

    figures = []
    for method, share in dict.fromkeys((of.method, of.share) for of, _ in measured):
        if method != EVERYTHING:
            figures.append(figure(method, f"select@{share}", together(method, share), how))
        if method not in (EVERYTHING, RANDOM):
            gain = together(RANDOM, share) - together(method, share)
            figures.append(figure(method, f"select_gain@{share}", gain, how))
    figures.append(figure(EVERYTHING, "select@100", together(EVERYTHING, 100), how))
    return figures
