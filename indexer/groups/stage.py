"""EDGE: what whole groups did for every token, in the parts of the influence stage.

The influence stage leaves them (see `indexer.tracing.left`).
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from attribution.index.document_norms import DocumentNorms
from indexer.database.arrow import columns_of
from indexer.groups.grouped import Grouped
from indexer.groups.rows import group_columns
from indexer.groups.scores import Estimates, GroupScores, Sample, estimates, group_scores
from indexer.journal.stages import Finished, key
from indexer.size.answers import Answer
from indexer.tracing.candidates import random_documents
from indexer.tracing.chunks import chunks
from indexer.tracing.explain import Explained, Place, token_directions
from indexer.tracing.left import Left
from indexer.tracing.prompt_rows import joined
from indexer.tracing.traced import Traced

TABLE = "group_influence"
Null = Sequence[NDArray[np.float32]]  # of each query, scores of the null sample that are finite


class Sampled:
    """What the index says of some answers, kept until their null samples are scored; nothing where sums are kept."""

    def __init__(self, of: Grouped, traced: Traced) -> None:
        self.of, self._norms = of, traced.norms
        self._documents = random_documents(traced.fitted.member).documents
        self._by_answer: dict[str, Estimates] = {}

    def add(self, answer: Answer, values: NDArray[np.float32]) -> None:
        """values: [K, D] nats"""
        if not self.of.is_exact:
            self._by_answer[answer.generation_id] = estimates(self.of, values, self._documents)

    def sample(self, places: Sequence[Place], null: Null) -> Sample | None:
        """Of some tokens, whose null samples are scored."""
        if self.of.is_exact:
            return None
        by_token = [(self._by_answer[generation_id], position) for generation_id, position in places]
        by_cell = [np.stack([of.by_cell[s][k] for of, k in by_token]) for s in range(len(self.of.stages))]
        of_sample = np.stack([of.of_sample[k] for of, k in by_token])
        exact = exact_scores(null, self._documents, self._norms)
        return Sample(Estimates(tuple(by_cell), self._documents, of_sample), exact)


def exact_scores(null: Null, documents: NDArray[np.int64], norms: DocumentNorms) -> NDArray[np.float32]:
    """Those of every document of the sample; NaN of one that was skipped  # [Q, R] nats"""
    known = np.isfinite(norms.loss[documents])
    found = np.full((len(null), len(documents)), np.nan, dtype=np.float32)
    for q, scores in enumerate(null):
        if len(scores) == known.sum():
            found[q, known] = scores
    return found


def of_explained(made: Explained, sampled: Sampled) -> GroupScores:
    """Of the tokens, one at least, whose documents have just been scored."""
    sample = sampled.sample(made.kept.places, made.kept.null)
    return group_scores(sampled.of, [each.of(made.kept.queries) for each in made.directions()], sample)


def left(of: Grouped) -> Left:
    """What the influence stage leaves for `group_stage`."""
    return Left(TABLE, of.digest)


def group_stage(
    folder: Path,
    traced: Traced,
    of: Grouped,
    answers: Sequence[Answer],
    scored: Sequence[Finished],
    tick: Callable[[float], None],
) -> list[Finished]:
    """A shard of `group_influence` for every part of the influence stage; `tick(n)` after n tokens."""
    by_id = {each.generation_id: each for each in answers}
    made_of = key(of=of.digest, tables=columns_of(TABLE))
    name = f"grouped-{traced.fitted.member.entry.name}"
    return left(of).stage(folder, name, made_of, scored, lambda at: _again(traced, of, by_id, at, tick))


def _again(
    traced: Traced, of: Grouped, by_id: Mapping[str, Answer], scored: Finished, tick: Callable[[float], None]
) -> Mapping[str, Any]:
    fitted = traced.fitted
    names = ["generation_id", "position", "null_scores"]
    rows = pq.read_table(scored.folder / "target.parquet", columns=names).to_pylist()
    null = {(row["generation_id"], row["position"]): np.array(row["null_scores"], np.float32) for row in rows}
    some = [by_id[generation_id] for generation_id in dict.fromkeys(generation_id for generation_id, _ in null)]
    estimated = Sampled(of, traced)
    for answer in [] if of.is_exact else some:
        estimated.add(answer, traced.estimates(answer))
    parts = []
    for chunk in chunks(fitted.terms, some, fitted.member.config.output.folder):
        places = [(some[a].generation_id, position) for a, positions in chunk.stretches for position in positions]
        sample = estimated.sample(places, [null[place] for place in places])
        directions = [made for _, made in token_directions(fitted.terms, some, chunk, 1)]
        parts.append(group_columns(fitted.run, places, group_scores(of, directions, sample)))
        tick(len(places))
    return joined(parts)
