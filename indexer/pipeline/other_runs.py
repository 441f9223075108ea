"""EDGE: other estimators over the same candidates, each under a run of its own, to be compared with influence."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from attribution.exact.checkpoints import Checkpoint
from attribution.index.document_norms import DocumentNorms
from indexer.config.estimator import Estimator
from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.tracing.candidates import Candidates
from indexer.tracing.explain import Kept, keep, pairs
from indexer.tracing.heat import position_columns
from indexer.tracing.rows.influence import influence_columns, numbered, target_columns
from indexer.tracing.rows.run import write_run
from indexer.tracing.scoring import Scoring
from indexer.tracing.sums.answer_losses import losses_of_answers
from indexer.tracing.sums.products import keep_sums, shares_of, shares_of_sums, tokens_of, with_spans

LEARNED = 1  # another number makes anew what learning each token did to an answer


def other_run(
    folder: Path,
    fitted: Fitted,
    by: Estimator,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
) -> Finished:
    """Shards of one estimator for all answers of a size, their words included where it is linear in the query."""
    started = time.monotonic()
    member = fitted.member
    checkpoints = by.checkpoints(folder, fitted)
    scores = member.config.scores
    words, whole = by.words and scores.words, scores.whole_answers
    of_tokens = [each.of_tokens for each in found]
    candidates = [each.of_answer for each in found] if whole else found if words else of_tokens
    settings = by.settings(scores)
    run = run_of(fitted, by, checkpoints)

    def compute(part: Partition) -> None:
        assert by.score is not None  # noqa: S101 - the first estimator is no other
        of, sums = pairs(answers, candidates), None
        if words:
            of, sums = with_spans(of, answers, candidates)
        scoring = Scoring(fitted, checkpoints, norms, answers, candidates, of)
        values, shares = by.score(scoring)
        values[~of.wanted] = np.nan
        kept = keep(values, of.union, of.tokens, norms, scores.documents)
        spans = Kept([], [], [], [], []) if sums is None else keep_sums(values, of.union, sums, norms, scores.documents)
        write_shard(part.folder, "target", target_columns(run, kept, None, None))
        rows = influence_columns(run, kept, norms, member.document_ids, by_layer=by.layers)
        write_shard(part.folder, "influence", rows)
        tokens = [] if sums is None else tokens_of(sums)
        if words:
            write_shard(part.folder, "span_target", numbered(target_columns(run, spans, None, None)))
            rows = influence_columns(run, spans, norms, member.document_ids, by_layer=by.layers)
            write_shard(part.folder, "span_influence", numbered(rows))
        if by.positions:
            tops, of_spans = (
                [each.top[: scores.position_shares].tolist() for each in some.ranked] for some in (kept, spans)
            )
            every = shares_of(scoring, _of_queries(tops, of_spans, tokens), shares)
            own = [[every[q, i] for i in top] for q, top in enumerate(tops)]
            columns = position_columns(run, kept, own, [], member.document_ids)
            write_shard(part.folder, "influence_position", columns)
            if words:
                own, told = shares_of_sums(of_spans, tokens, every), losses_of_answers(scoring, of_spans)
                columns = position_columns(run, spans, own, told, member.document_ids)
                write_shard(part.folder, "span_position", numbered(columns))
        write_run(part.folder, fitted, run, by.name, time.monotonic() - started, settings | scoring.facts)

    of_answers = words and by.positions and scores.token_losses > 0
    made_of = key(
        run=run,
        scores=scores.of_tokens(),
        on=[each.digest for each in of_tokens],
        **({"words": [each.digest for each in found]} if words or whole else {}),
        **({"whole": True} if whole else {}),
        **({"learned": LEARNED} if of_answers else {}),
        tables=columns_of("influence", "span_influence"),
    )
    [part] = stage(folder, f"{by.name}-{member.entry.name}", made_of, ["all"], compute, away=True)
    return part


def run_of(fitted: Fitted, by: Estimator, checkpoints: Sequence[Checkpoint] = ()) -> str:
    """The run_id of an estimator's scores."""
    over = [(each.tracked.loaded.function_hash, each.weight) for each in checkpoints]
    scores = fitted.member.config.scores
    steps = [each.steps for each in checkpoints if each.steps is not None]
    made_with = by.settings(scores) | ({"steps": steps} if steps else {})
    return key(base=fitted.run, method=by.name, checkpoints=over, linear=by.linear(scores), **made_with)


def _of_queries(
    tops: Sequence[Sequence[int]], of_spans: Sequence[Sequence[int]], tokens: Sequence[range]
) -> list[list[int]]:
    """Of each token the documents of which it needs position shares: for itself, and for spans that it is a part of."""
    found = [dict.fromkeys(top) for top in tops]
    for top, some in zip(of_spans, tokens, strict=True):
        for q in some:
            found[q] |= dict.fromkeys(top)
    return [list(each) for each in found]
