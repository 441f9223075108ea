"""EDGE: the influence stage: all answers of a size in groups that fit into memory, each a partition with its shards."""

from collections.abc import Callable, Sequence
from pathlib import Path

from attribution.document_norms import DocumentNorms
from indexer.build.answers import Answer
from indexer.build.candidates import Candidates, candidate_rows
from indexer.build.explain import explain
from indexer.build.fitted import Fitted
from indexer.build.heat import heat, position_columns, relabel_columns
from indexer.build.influence_rows import influence_columns, target_columns
from indexer.database.shard import write_shard
from indexer.journal import Finished, key, stage
from indexer.partition import Part

BUDGET = 2 << 30  # bytes of query directions that are held at once


def groups(n_targets: Sequence[int], n_tracked: int, budget: int = BUDGET) -> list[list[int]]:
    """Consecutive answers whose directions fit into the budget together; a document is read once per group.

    n_targets: generated tokens of each answer.   n_tracked: parameters of one direction.
    """
    made: list[list[int]] = []
    room = 0
    for i, n in enumerate(n_targets):
        need = n * n_tracked * 4
        if not made or need > room:
            made.append([])
            room = budget
        made[-1].append(i)
        room -= need
    return made


def scores(
    folder: Path,
    fitted: Fitted,
    norms: DocumentNorms,
    answers: Sequence[Answer],
    found: Sequence[Candidates],
    tick: Callable[[int], None],
) -> list[Finished]:
    """Shards of every group; `tick(n)` after n generated tokens. A group depends on its own answers only."""
    member = fitted.member
    n_tracked = len(fitted.terms) * sum(layer.n_out * layer.n_in for layer in member.tracked.linear)
    together = groups([each.n_targets for each in answers], n_tracked)
    names = [
        key(of=[answers[i].generation_id for i in group], on=[found[i].digest for i in group]) for group in together
    ]
    by_name = dict(zip(names, together, strict=True))

    def compute(part: Part) -> None:
        group = by_name[str(part.value)]
        _write(part.folder, fitted, norms, [answers[i] for i in group], [found[i] for i in group])

    def done(part: Finished, _fresh: bool) -> None:
        tick(sum(answers[i].n_targets for i in by_name[str(part.part)]))

    made_of = key(run=fitted.run, scores=member.config.scores)
    return stage(folder, f"scores-{member.entry.name}", made_of, names, compute, done=done)


def _write(
    folder: Path, fitted: Fitted, norms: DocumentNorms, answers: Sequence[Answer], found: Sequence[Candidates]
) -> None:
    member, run = fitted.member, fitted.run
    made = explain(fitted, norms, answers, found, [term.directions(answers) for term in fitted.terms])
    ids = [document.document_id for document in member.documents]
    closer = heat(fitted, made)
    value = made.directions[-1].values.cpu().numpy()
    write_shard(folder, "candidate", candidate_rows(found, ids))
    write_shard(folder, "target", target_columns(run, made.kept, value, made.self_influence))
    write_shard(folder, "influence", influence_columns(run, made.kept, norms, ids))
    write_shard(folder, "influence_position", position_columns(run, made, closer, ids))
    write_shard(folder, "relabel", relabel_columns(run, made, closer, ids, member.words))
