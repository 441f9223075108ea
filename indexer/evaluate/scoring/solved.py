"""EDGE: what the whole Gauss–Newton matrix says of every document, for the queries of an evaluation, some in a part."""

import numpy as np

from attribution.exact.scores import score_documents
from attribution.query.directions import join_directions
from attribution.query.settled import settled
from attribution.query.solve import query_directions
from indexer.config.estimator import estimators
from indexer.evaluate.scoring.given import Given
from indexer.evaluate.scoring.gradient_scores import Numbers
from indexer.journal.part import Partition
from indexer.journal.stages import key, stage
from indexer.solved.whole import residuals, whole_of

NAME = "ekfac_cg"
TOGETHER = 8  # queries of a part: an evaluation that is interrupted goes on after them


def solved_scores(given: Given) -> Numbers:
    """[Q, D] nats."""
    member, fitted = given.member, given.subject.fitted

    def compute(part: Partition) -> None:
        whole = whole_of(fitted)
        unsolved = whole.unsolved
        some = given.asked[int(part.value) : int(part.value) + TOGETHER]
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
        np.savez(part.folder / "scores.npz", values=np.concatenate(values), residuals=np.array(residuals(found)))

    made_of = key(
        run=fitted.run,
        asked=[[each.ids, each.first] for each in given.asked],
        corpus=member.corpus.hash,
        **estimators()[NAME].settings(member.config.scores),
    )
    starts: list[str | int] = list(range(0, len(given.asked), TOGETHER))
    parts = stage(given.folder, f"solved-{given.what}-{member.entry.name}", made_of, starts, compute)
    made = []
    for part in parts:
        with np.load(part.folder / "scores.npz") as stored:
            made.append(stored["values"])
    return np.concatenate(made).astype(np.float32)
