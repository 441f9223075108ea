"""EDGE: what an estimator is given to be evaluated: queries, documents, and gradient scores that several read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from attribution.normalisers import NORMALISERS, Norms, normalise
from indexer.config.estimator import estimators
from indexer.corpus.text_index import TextIndex
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.scoring.gradient_scores import TURNED, Numbers, Scored, Tick, Variants, scores_over
from indexer.size.corpus_pass import pass_over_corpus
from indexer.size.fitted import Fitted
from indexer.size.member import Member

PARTS: dict[str, tuple[str, ...]] = {
    "attention only": ("attention",),
    "MLP only": ("mlp",),
    "embedding only": ("embedding",),
}
PARTS |= {"without embedding": ("attention", "mlp")}


@dataclass(frozen=True)
class Evaluated:
    """A size with its curvature, that of its checkpoints, and its documents as a lexical index."""

    fitted: Fitted
    early: tuple[Fitted, ...]  # one for each of its checkpoints, the first epochs first
    index: TextIndex
    dampings: tuple[float, ...] = ()  # to compare the configured one with
    turned: bool = False  # whether to compare the embedding's block with one in an eigenbasis


@dataclass(frozen=True)
class Given:
    """Q queries against all D documents; what several estimators read is computed when the first of them asks."""

    folder: Path
    subject: Evaluated
    asked: Sequence[Question]
    what: str  # the measure that asks, which names what is kept
    tick: Tick  # told of n documents after they have passed

    @property
    def member(self) -> Member:
        """The model with its documents."""
        return self.subject.fitted.member

    @cached_property
    def norms(self) -> Norms:
        """Of the documents, at the final weights."""
        of, _ = pass_over_corpus(self.folder, self.subject.fitted, self.tick)
        return Norms(of.grad_norm, of.self_influence, of.solve_norm, np.ones(len(self.asked), dtype=np.float32))

    @cached_property
    def gradients(self) -> list[dict[str, Scored]]:
        """At each checkpoint and, last, at the final weights: gradient products and EK-FAC, by name."""
        each = Variants(plain=True, turned=self.subject.turned)
        last = replace(each, dampings=self.subject.dampings)
        models = [*((early, each) for early in self.subject.early), (self.subject.fitted, last)]
        return scores_over(self.folder, self.what, models, self.asked, self.tick)

    def curvatures(self, method: str) -> list[str]:
        """Names in `gradients`, at all weights, of a method and of the same with the embedding turned."""
        return [name for name in (method, f"{method}, {TURNED}") if name in self.gradients[0]]

    def divided(self, scores: Numbers, by: str) -> Numbers:
        """By a normaliser of the documents, 0 for one without gradient: a prediction has a number for every document,
        and seeing this one again changes nothing  # [Q, D]"""
        found = normalise(scores, self.norms, by)
        return np.where(np.isnan(found), np.float32(0), found)

    def normalised(self, method: str, of: Scored) -> Iterator[tuple[str, Numbers]]:
        """A method under every normaliser, where its record wants that."""
        if method not in normalised_methods():
            return
        for name in NORMALISERS:
            if name not in ("none", "cosine"):  # for one query, cosine ranks as relatif_l does
                yield f"{method} / {name}", self.divided(of.total, name)

    def parts(self, method: str, of: Scored) -> Iterator[tuple[str, Numbers]]:
        """A method from some kinds of layers only."""
        for name, kinds in PARTS.items():
            if 0 < len(set(kinds) & set(of.kinds)) < len(of.kinds):
                yield f"{method}, {name}", of.of(kinds)


def normalised_methods() -> tuple[str, ...]:
    """Estimators that are divided by every normaliser too."""
    return tuple(name for name, each in estimators().items() if each.normalised)
