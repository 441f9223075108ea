"""EDGE: the gradient index of a size, opened: what every training document would do to new queries, estimated."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from attribution.index.compress import DIRECTIONS
from attribution.index.metric import Metric, metrics
from attribution.index.query import LayerQuery, index_queries
from attribution.index.shards import Shard, open_shard, products
from attribution.influence import influence
from attribution.passes.hidden import hidden_cosine
from indexer.size.corpus_pass import INDEX_FILE, parts_before
from indexer.size.fitted import Fitted
from indexer.size.terms import Term

Numbers = NDArray[np.float32]


class Tokens(Protocol):
    """An answer, or whatever else has tokens to be explained."""

    @property
    def ids(self) -> Sequence[int]: ...  # what was read before them as well

    @property
    def first(self) -> int: ...  # of the explained ones, which go to the end

    @property
    def n_targets(self) -> int: ...


@dataclass(frozen=True)
class TermIndex:
    """The shards of the documents of one term of the score, with the curvature that they were compressed in."""

    term: Term
    fitted: Fitted
    shards: tuple[Shard, ...]

    @cached_property
    def metrics(self) -> list[Metric]:
        tracked = self.fitted.member.tracked
        return metrics(tracked, self.fitted.preconditioner.eigen(tracked), DIRECTIONS)

    def queries(self, answer: Tokens, foil: int | None = None) -> list[LayerQuery]:
        """One query for every generated token; with a foil, of log p(token) − log p(foil)."""
        return index_queries(
            self.term.asked,
            self.term.preconditioner,
            self.metrics,
            self.fitted.preconditioner,
            answer.ids,
            answer.first,
            measurement="logp" if foil is None else "contrast",
            foils=None if foil is None else [foil] * answer.n_targets,
        )


@dataclass(frozen=True)
class Index:
    """One `TermIndex` for each term, in the order of the corpus."""

    terms: tuple[TermIndex, ...]

    def estimates(self, answer: Tokens, foil: int | None = None) -> Numbers:
        """Estimated influence of every document on every generated token  # [K, D] nats"""
        found = []
        for of in self.terms:
            queries, vectors = of.queries(answer, foil), of.term.asked.schedule.vectors
            with torch.inference_mode():
                found.append(influence(of.term.weight * products(of.shards, queries, vectors), of.term.n_train))
        return torch.cat(found, dim=1).float().cpu().numpy()

    @property
    def nbytes(self) -> int:
        """Of all that is kept of the documents' gradients."""
        return sum(kept.nbytes for of in self.terms for shard in of.shards for kept in shard.kept)

    @cached_property
    def length(self) -> Numbers:
        """√self-influence of every document: an estimate divided by it ranks as the cosine does  # [D]"""
        parts = [shard.energy / of.term.n_train for of in self.terms for shard in of.shards]
        return torch.cat(parts).sqrt().cpu().numpy()

    def cosines(self, estimates: Numbers) -> Numbers:
        """Estimates as the cosine ranks them: divided by `length`, NaN where that is 0.    [K, D] or [D], likewise"""
        found: Numbers = np.divide(estimates, self.length, out=np.full_like(estimates, np.nan), where=self.length > 0)
        return found

    def similar(self, states: Numbers) -> Numbers:
        """Cosine of queries' hidden states with that of every document, a shard at a time.    [K, H] -> [K, D]"""
        shards = (shard.hidden.float().cpu().numpy() for of in self.terms for shard in of.shards)
        return np.concatenate([hidden_cosine(states, each) for each in shards], axis=1)


def open_index(folder: Path, fitted: Fitted) -> Index:
    """The index that a build has left for exactly these weights, factors, documents and settings.

    Raises BadInput, with the command that rebuilds it, when there is none; Damaged for a shard that is not what was
    written.
    """
    stages = zip(fitted.terms, fitted.stages, strict=True)
    return Index(tuple(TermIndex(term, of, _shards(folder, of)) for term, of in stages))


def _shards(folder: Path, fitted: Fitted) -> tuple[Shard, ...]:
    names: Sequence[str] = [layer.name for layer in fitted.member.tracked.layers]
    return tuple(open_shard(part.folder / INDEX_FILE, names) for part in parts_before(folder, fitted))
