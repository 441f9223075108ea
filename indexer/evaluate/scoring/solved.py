"""EDGE: what the whole Gauss–Newton matrix says of every document, for the queries of an evaluation, some in a part."""

from collections.abc import Sequence

import numpy as np

from attribution.exact.scores import score_documents
from attribution.query.directions import join_directions
from attribution.query.settled import settled
from attribution.query.solve import query_directions
from indexer.config.estimator import estimators
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.scoring.given import Given
from indexer.evaluate.scoring.gradient_scores import Numbers, Tick
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.solved.whole import residuals, whole_of

NAME = "ekfac_cg"
TOGETHER = 8  # queries of a part: an evaluation that is interrupted goes on after them


def solved_scores(given: Given, together: int | None = None, tick: Tick = lambda n: None) -> Numbers:
    """[Q, D] nats.    together: queries of a part, else TOGETHER   `tick(n)` after n queries"""
    together = together or TOGETHER
    member, fitted = given.member, given.subject.fitted

    def of_part(first: str | int) -> Sequence[Question]:
        return given.asked[int(first) : int(first) + together]

    def compute(part: Partition) -> None:
        whole = whole_of(fitted)
        unsolved = whole.unsolved
        some = of_part(part.value)
        values, found = [], []
        for start in range(0, len(some), whole.at_once):
            gradients = join_directions(
                query_directions(
                    unsolved.asked,
                    unsolved.preconditioner,
                    each.ids,
                    each.first,
                    measurement="mean_logp",
                    negligible=unsolved.negligible,
                )
                for each in some[start : start + whole.at_once]
            )
            directions, residual = whole.solve(gradients)
            held = settled(member.tracked, directions, sum(map(len, member.rows)))
            values.append(score_documents(member.tracked, held, member.rows, member.n_train).values.sum(axis=2))
            found.append(residual)
            del gradients, directions, held  # before the next are made
        np.savez(part.folder / "scores.npz", values=np.concatenate(values), residuals=np.array(residuals(found)))

    made_of = key(
        run=fitted.run,
        asked=[[each.ids, each.first] for each in given.asked],
        corpus=member.corpus.hash,
        together=together,
        **estimators()[NAME].settings(member.config.scores),
    )
    starts: list[str | int] = list(range(0, len(given.asked), together))
    name = f"solved-{given.what}-{member.entry.name}"
    parts = stage(given.folder, name, made_of, starts, compute, done=lambda part, _: tick(len(of_part(part.part))))
    made = []
    for part in parts:
        with np.load(part.folder / "scores.npz") as stored:
            made.append(stored["values"])
    return np.concatenate(made).astype(np.float32)
