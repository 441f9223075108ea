"""Figures out of what the models answered: pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from data.build_llm.trust.protocol import Model
from indexer.evaluate.measures.lds import Agreement, Retrainings, agreement, between_seeds, ceiling
from indexer.evaluate.measures.removal import Answered, Removal, removal_figures
from indexer.evaluate.statistics.best_method import PART, leader
from indexer.evaluate.statistics.figures import Figure, estimated

PLAIN, ABOVE = "ekfac", "lds less ekfac"  # what others are to lie above; a column of the table and no stored figure
FEWER = ("another seed", "ceiling")  # by some of the halves, whose resamples are not those of the others
FACTS = " facts"  # ends the name of a method that is judged by the first facts alone
ByMethod = Mapping[str, NDArray[np.floating]]  # [Q, D] each


@dataclass(frozen=True)
class Halves:
    """Those models that are trained, and what they answer; `again`: with another seed, by their place in `models`."""

    models: Sequence[Model]
    first: Sequence[Answered]
    again: Mapping[int, Answered]


def lds(
    by_method: ByMethod, of: Halves, own: NDArray[np.int64], n_documents: int, solved: ByMethod | None = None
) -> dict[str, Agreement]:
    """By method, besides "another seed" and "ceiling" where two halves or more have another seed.

    own: [Q] the conversation that states each answer   solved: [Q', D] each, of the first Q' queries alone: beside each
    stands "ekfac" of the same ones.
    """
    trained_on = np.zeros((len(of.models), n_documents), dtype=np.bool_)
    for k, model in enumerate(of.models):
        trained_on[k, list(model.kept)] = True
    truth = Retrainings(trained_on, np.stack([each.logp for each in of.first]), own)
    found = {method: agreement(scores, truth) for method, scores in by_method.items()}
    for method, scores in (solved or {}).items():
        n = len(scores)
        found[_of_first(PLAIN, n)] = agreement(by_method[PLAIN][:n], truth.of_first(n))
        found[_of_first(method, n)] = agreement(scores, truth.of_first(n))
    if len(of.again) > 1:
        once = truth.some(list(of.again))
        seeds = [once, replace(once, measured=np.stack([each.logp for each in of.again.values()]))]
        found["another seed"], found["ceiling"] = between_seeds(seeds), ceiling(seeds, 1)
    return found


def _of_first(method: str, n: int) -> str:
    return f"{method}{PART}{n}{FACTS}"


def lds_figures(of: Mapping[str, Agreement], how: str) -> list[Figure]:
    """Both kinds of every method. By the same models and queries: how far each method lies above `ekfac` by the plain
    one, and behind the first by the other."""
    means = [(method, {"lds": each.lds, "lds_without_self": each.lds_without_self}) for method, each in of.items()]
    found = [
        estimated(method, name, mean.interval(), _how(method, how)) for method, by in means for name, mean in by.items()
    ]
    judged = {method: each for method, each in of.items() if method not in FEWER and not method.endswith(FACTS)}
    for method, each in of.items():
        plain = _plain_of(method)
        if method not in FEWER and plain in of and method != plain:
            found.append(estimated(method, ABOVE, each.lds.less(of[plain].lds).interval(), _how(method, how)))
    first = leader({method: each.lds_without_self.value for method, each in judged.items()})
    for method, each in judged.items():
        if first and method != first:
            behind = of[first].lds_without_self.less(each.lds_without_self).interval()
            found.append(estimated(method, "lds_behind", behind, f"below {first}; {how}"))
    return found


def _plain_of(method: str) -> str:
    """The method that this one is to lie above, judged by the same facts."""
    return PLAIN + method[method.rindex(PART) :] if method.endswith(FACTS) else PLAIN


def _how(method: str, how: str) -> str:
    """What was asked, of a method that is judged by the first facts alone."""
    return f"the first {method[method.rindex(PART) + len(PART) :]} alone; {how}" if method.endswith(FACTS) else how


def surest(before: Answered, n: int) -> list[int]:
    """The n queries whose answer the model on everything is surest of: what it does not know cannot be lost."""
    return [int(q) for q in np.argsort(-before.logp, kind="stable")[:n]]


def lost(
    before: Answered, places: Sequence[int], after: Sequence[tuple[Removal, Answered | None]], how: str
) -> list[Figure]:
    """Of the answers for which every removal has been trained, so that all methods are judged by the same ones: what
    they lose of log p. Whether they change is not counted, since the model on everything need not write them itself.

    before and after are asked all queries; a removal's `query` is its place in `places`, None for one that serves all.
    """
    missing = {each.query for each, found in after if found is None}
    kept = [i for i in range(len(places)) if i not in missing]
    if None in missing or not kept:
        return []
    whole = [
        (each if each.query is None else replace(each, query=kept.index(each.query)), _at(found, places, kept))
        for each, found in after
        if found is not None and (each.query is None or each.query in kept)
    ]
    found = removal_figures(_at(before, places, kept), whole, how)
    return [each for each in found if each.metric.startswith("drop@")]


def _at(of: Answered, places: Sequence[int], kept: Sequence[int]) -> Answered:
    chosen = [places[i] for i in kept]
    return Answered(of.logp[chosen], of.right[chosen])
