"""Leaving out a whole topic, training again, and asking again: which topics, what is asked, what was foretold. Pure.

Foretold change of f = −Σ influence(z → f) over all documents z of the topic: what the whole group would do once less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.rank_correlation import spearman
from indexer.evaluate.statistics.figures import Figure, figure

TRAINED = "trained again"  # in place of a method: what was measured
LARGEST = 0.5  # share of the documents that a topic may have: what is left has to be a corpus
Numbers = NDArray[np.float64]


def chosen_topics(topics: Sequence[str], asked: Mapping[str, int], n: int) -> list[str]:
    """The n topics that are asked about most, of equals the larger.    topics: of every document   asked: by topic"""
    sizes = {topic: topics.count(topic) for topic in set(topics) if topic}
    possible = [topic for topic, size in sizes.items() if size <= LARGEST * len(topics)]
    return sorted(possible, key=lambda topic: (-asked.get(topic, 0), -sizes[topic], topic))[:n]


@dataclass(frozen=True)
class WithoutTopics:
    """T topics that were left out one by one, and what that did to Q questions, nats a token."""

    topics: tuple[str, ...]
    of: tuple[str, ...]  # [Q] topic of every question, "" for another
    changes: Numbers  # [S, T, Q] by seed

    @property
    def own(self) -> NDArray[np.bool_]:
        """Whether a question is on the topic that is left out  # [T, Q]"""
        return np.array([[of == topic for of in self.of] for topic in self.topics])

    @property
    def mean(self) -> Numbers:
        """[T, Q]"""
        found: Numbers = self.changes.mean(axis=0)
        return found


def foretold(scores: NDArray[np.floating], topics: Sequence[str], left_out: Sequence[str]) -> Numbers:
    """scores: [Q, D] influence   topics: of every document   -> [T, Q]"""
    known = np.nan_to_num(np.asarray(scores, dtype=np.float64))
    of = np.array(topics)
    return np.stack([-known[:, of == topic].sum(axis=1) for topic in left_out])


def without_topic_figures(by_method: Mapping[str, Numbers], of: WithoutTopics, how: str) -> list[Figure]:
    """Rank correlations of what was foretold with what was measured, of every topic: over its own questions, over the
    others, over all. And the changes themselves, of every question.    by_method: [T, Q] each, nats for `ekfac`"""
    own, figures = of.own, []
    some = {"own": own, "others": ~own, "all": np.ones_like(own)}
    for method, said in {**by_method, "another seed": of.changes[1:].mean(axis=0)}.items():
        seen = of.changes[0] if method == "another seed" else of.mean
        for name, mask in some.items():
            rho = [spearman(said[t, mask[t]], seen[t, mask[t]]) for t in range(len(own)) if mask[t].sum() > 2]
            if rho:
                figures.append(figure(method, f"without_topic_{name}", rho, how))
    for method, changes in ((TRAINED, of.mean), ("ekfac", by_method.get("ekfac"))):
        if changes is not None:
            figures.append(figure(method, "without_topic_change_own", changes[own], how))
            figures.append(figure(method, "without_topic_change_others", changes[~own], how))
    return figures
