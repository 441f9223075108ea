"""Exact influence of the candidates on every generated token, in groups of prompts that fit into memory."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from attribution.directions import Directions, join_directions
from attribution.document_norms import DocumentNorms
from attribution.influence import self_influence
from attribution.query import query_directions
from attribution.scores import score_documents
from indexer.build.answers import Answer
from indexer.build.candidates import Candidates, candidate_rows
from indexer.build.fitted import Fitted
from indexer.build.heat import heat_columns
from indexer.build.ranking import Ranked, ranked
from indexer.database.shard import write_shard
from indexer.journal import Finished, key, stage
from indexer.partition import Part

BUDGET = 2 << 30  # bytes of query directions that are held at once


def groups(answers: Sequence[Answer], n_tracked: int) -> list[list[int]]:
    """Consecutive answers whose directions fit into the budget together; documents are then read once per group."""
    made: list[list[int]] = []
    room = 0.0
    for i, each in enumerate(answers):
        need = each.n_targets * n_tracked * 4
        if not made or need > room:
            made.append([])
            room = BUDGET
        made[-1].append(i)
        room -= need
    return made


def directions_of(fitted: Fitted, answers: Sequence[Answer]) -> Directions:
    """One query for every generated token of the answers, in order."""
    tracked, preconditioner = fitted.member.tracked, fitted.preconditioner
    return join_directions([query_directions(tracked, preconditioner, a.ids, a.first) for a in answers])


def scores(
    folder: Path,
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    tick: Callable[[int], None],
) -> list[Finished]:
    """Shards of every group; `tick(n)` after n generated tokens. A group depends on its own prompts only."""
    member = fitted.member
    together = groups(answers, sum(layer.n_out * layer.n_in for layer in member.tracked.linear))

    def chosen_of(name: str | int) -> list[int]:
        return together[int(str(name).split("-")[0])]

    def compute(part: Part) -> None:
        chosen = chosen_of(part.value)
        _group(part.folder, fitted, norms, [answers[i] for i in chosen], [found[i] for i in chosen])

    def done(part: Finished, _fresh: bool) -> None:
        tick(sum(answers[i].n_targets for i in chosen_of(part.part)))

    names = [f"{g:03d}-" + key(of=[answers[i].generation_id for i in chosen]) for g, chosen in enumerate(together)]
    made_of = key(run=fitted.run, scores=member.config.scores, sources=[_digest(each) for each in found])
    return stage(folder, f"scores-{member.entry.name}", made_of, names, compute, done=done)


def _digest(found: Candidates) -> str:
    return key(documents=found.documents.tolist())


def _group(
    folder: Path,
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
) -> None:
    member = fitted.member
    directions = directions_of(fitted, answers)
    wanted = np.zeros((directions.n, member.n_train), dtype=bool)
    places = [(a, position) for a, each in enumerate(answers) for position in range(each.n_targets)]
    for q, (a, _) in enumerate(places):
        wanted[q, found[a].documents] = True
    values = score_documents(member.tracked, directions, member.rows, member.n_train, wanted=wanted).values
    values[~wanted] = np.nan
    kept = [ranked(values[q].sum(-1), norms, member.config.scores.documents) for q in range(len(places))]
    ids = np.array([document.document_id for document in member.documents])
    at = [(fitted.run, answers[a].generation_id, position) for a, position in places]
    null = [next(p.documents for p in found[a].proposals if p.via == "random") for a, _ in places]
    write_shard(folder, "candidate", candidate_rows(found, ids.tolist()))
    write_shard(folder, "target", _target_columns(at, directions, values, kept, null, member.n_train))
    write_shard(folder, "influence", _influence_columns(at, values, kept, norms, ids))
    for table, columns in heat_columns(fitted, directions, kept, at, ids).items():
        write_shard(folder, table, columns)


Place = tuple[str, str, int]  # run_id, generation_id, position


def _target_columns(
    at: Sequence[Place],
    directions: Directions,
    values: NDArray[np.float32],
    kept: Sequence[Ranked],
    null: Sequence[NDArray[np.int64]],
    n_train: int,
) -> dict[str, object]:
    drawn = [values[q, documents].sum(-1) for q, documents in enumerate(null)]
    drawn = [scores[np.isfinite(scores)] for scores in drawn]
    return {
        "run_id": [run for run, _, _ in at],
        "generation_id": [generation for _, generation, _ in at],
        "position": [position for _, _, position in at],
        "measurement": ["logp"] * len(at),
        "value": directions.values.cpu().numpy(),
        "self_influence": self_influence(directions.energy, n_train).cpu().numpy(),
        "n_scored": [each.n_scored for each in kept],
        "null_mean": [float(scores.mean()) for scores in drawn],
        "null_std": [float(scores.std(ddof=1)) for scores in drawn],
        "null_scores": drawn,
    }


def _influence_columns(
    at: Sequence[Place],
    values: NDArray[np.float32],
    kept: Sequence[Ranked],
    norms: DocumentNorms,
    ids: NDArray[np.str_],
) -> dict[str, object]:
    n = [len(each.documents) for each in kept]
    query = np.repeat(np.arange(len(at)), n).tolist()
    documents = np.concatenate([each.documents for each in kept])
    layers = values[query, documents]  # [rows, L]
    return {
        "run_id": [at[q][0] for q in query],
        "generation_id": [at[q][1] for q in query],
        "position": [at[q][2] for q in query],
        "rank": np.concatenate([each.ranks for each in kept]),
        "document_id": ids[documents].tolist(),
        "score": layers.sum(-1),
        "self_influence": norms.self_influence[documents],
        "grad_norm": norms.grad_norm[documents],
        "solve_norm": norms.solve_norm[documents],
        "layer_scores": layers,
    }
