"""EDGE: what the gradient index misses: its estimates against exact scores of the whole corpus."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.passes.hidden import query_hidden_states
from indexer.estimators.bm25 import lexical_scores
from indexer.evaluate.measures.index_recall import index_figures
from indexer.evaluate.protocol.published import measured_at
from indexer.evaluate.protocol.queries import Question, of_token
from indexer.evaluate.protocol.scale import Scale
from indexer.evaluate.scoring.gradient_scores import Tick, Variants, gradient_scores
from indexer.evaluate.scoring.subject import lexical
from indexer.evaluate.siblings.halves import queries
from indexer.evaluate.statistics.figures import Figure
from indexer.journal.stages import key
from indexer.processes.progress import Reporter
from indexer.size.corpus_pass import pass_over_corpus
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.index import Index, open_index
from indexer.size.member import Member
from indexer.tracing.candidates import best

N_QUERIES = 100
FROM_INDEX = 50  # with half as many by cosine and a quarter by hidden states, as a build proposes


def measure_index(folder: Path, member: Member, scale: Scale, report: Reporter) -> None:
    """Share of the exact top ten among the first of the index; nothing for a fine-tuned model, whose index is two."""
    if member.parent is not None:
        return
    fitted, name = fit(folder, member), member.entry.name
    asked = [of_token(member, int(i)) for i in queries(len(member.rows), N_QUERIES, seed=0)]
    ranks = sorted({member.config.index.rank, *scale.index_ranks})
    made_of = key(run=fitted.run, asked=[[each.ids, each.first] for each in asked], ranks=ranks)

    def measure() -> list[Figure]:
        n = len(member.rows)
        with report.task(f"{name}: exact scores and the index", 1 + len(ranks)) as task:
            exact = gradient_scores(folder, "index", fitted, asked, Variants(), lambda done: task.tick(done / n))
            found = []
            for rank in ranks:
                index = _index(folder, fitted, rank, lambda done: task.tick(done / n))
                found += _figures(folder, fitted, index, rank, asked, exact["ekfac"].total)
        return found

    measured_at(scale, folder, "index", member, made_of, measure)


def _index(folder: Path, fitted: Fitted, rank: float, tick: Tick) -> Index:
    """That of the build, or one of another rank under a name of its own."""
    member = fitted.member
    if rank != member.config.index.rank:
        config = replace(member.config, index=replace(member.config.index, rank=rank))
        entry = replace(member.entry, name=f"{member.entry.name}.rank-{rank:g}")
        fitted = replace(fitted, member=replace(member, entry=entry, config=config))
    pass_over_corpus(folder, fitted, tick)
    return open_index(folder, fitted)


def _figures(
    folder: Path, fitted: Fitted, index: Index, rank: float, asked: Sequence[Question], exact: NDArray[np.float32]
) -> list[Figure]:
    member = fitted.member
    estimated = np.concatenate([index.estimates(each) for each in asked])  # [Q, D]
    bm25 = lexical_scores(lexical(folder, member), member, asked)
    others = []
    for each, estimates, words in zip(asked, estimated, bm25, strict=True):
        states = query_hidden_states(member.tracked, each.ids, each.first)
        proposed = [
            best(index.cosines(estimates), FROM_INDEX // 2),
            best(index.similar(states)[0], FROM_INDEX // 4),
            best(np.where(words > 0, words, np.nan), member.config.scores.candidates),
        ]
        others.append(np.unique(np.concatenate(proposed)))
    size = index.nbytes / len(member.rows) / 1000
    how = f"{len(asked)} tokens of training documents, all {len(member.rows):,} documents; {size:.1f} KB a document"
    return index_figures(f"index, rank {rank:g}", exact, estimated, others, how)
