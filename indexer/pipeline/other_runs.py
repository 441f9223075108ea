"""EDGE: other estimators over the same candidates, each under a run of its own, to be compared with influence."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attribution.index.document_norms import DocumentNorms
from indexer.config.estimator import Estimator
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import keep, pairs
from indexer.tracing.heat import Where, position_columns
from indexer.tracing.influence_rows import influence_columns, target_columns
from indexer.tracing.products import shares_of_kept
from indexer.tracing.run_row import write_run
from indexer.tracing.scoring import Scoring


def other_run(
    folder: Path,
    fitted: Fitted,
    by: Estimator,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
) -> Finished:
    """Shards of one estimator for all answers of a size."""
    started = time.monotonic()
    member = fitted.member
    checkpoints = by.checkpoints(folder, fitted)
    over = [(each.tracked.loaded.weights_hash, each.weight) for each in checkpoints]
    scores = member.config.scores
    told = by.settings(scores)
    steps = [each.steps for each in checkpoints if each.steps is not None]
    made_with = told | ({"steps": steps} if steps else {})
    run = key(base=fitted.run, method=by.name, checkpoints=over, linear=by.linear(scores), **made_with)

    def compute(part: Partition) -> None:
        assert by.score is not None  # noqa: S101 - the first estimator is no other
        of = pairs(answers, found)
        scoring = Scoring(fitted, checkpoints, norms, answers, found, of)
        values, shares = by.score(scoring)
        values[~of.wanted] = np.nan
        kept = keep(values, of.union, of.tokens, norms, scores.documents)
        write_shard(part.folder, "target", target_columns(run, kept, None, None))
        rows = influence_columns(run, kept, norms, member.document_ids, by_layer=by.layers)
        write_shard(part.folder, "influence", rows)
        if by.positions:
            where = Where(shares_of_kept(scoring, kept, shares), [[] for _ in kept.places])
            write_shard(part.folder, "influence_position", position_columns(run, kept, where, member.document_ids))
        write_run(part.folder, fitted, run, by.name, time.monotonic() - started, told | scoring.facts)

    made_of = key(run=run, scores=scores.of_tokens(), on=[each.digest for each in found])
    [part] = stage(folder, f"{by.name}-{member.entry.name}", made_of, ["all"], compute)
    return part
