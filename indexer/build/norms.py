"""EDGE: one pass over the corpus: loss, gradient norm, self-influence and solve norm of every document."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from attribution.document_norms import DocumentNorms, document_norms
from indexer.build.fitted import Fitted
from indexer.database.shard import write_shard
from indexer.journal import Finished, found, stage
from indexer.partition import Part

FIELDS = ("loss", "grad_norm", "self_influence", "solve_norm")


def norms(folder: Path, fitted: Fitted, tick: Callable[[int], None]) -> tuple[DocumentNorms, Finished]:
    """Numbers of every document, in corpus order; one whose gradient is not finite has NaN.

    The documents of a parent keep the numbers that they have there.
    """
    member, run = fitted.member, fitted.run

    def compute(part: Part) -> None:
        made = document_norms(member.tracked, fitted.preconditioner, member.own_rows, member.n_train, tick=tick)
        columns = {field: getattr(made, field) for field in FIELDS}
        np.savez(part.folder / "norms.npz", **columns)
        ids = [document.document_id for document in member.corpus.documents]
        write_shard(part.folder, "self_influence", {"run_id": [run] * len(ids), "document_id": ids, **columns})

    [part] = stage(folder, f"norms-{member.entry.name}", run, ["all"], compute)
    return _with_parent(folder, fitted, _read(part)), part


def norms_before(folder: Path, fitted: Fitted) -> DocumentNorms:
    """The numbers that a build has left; BadInput when there are none of this run."""
    own = _read(found(folder, f"norms-{fitted.member.entry.name}", fitted.run, "all"))
    return _with_parent(folder, fitted, own)


def _with_parent(folder: Path, fitted: Fitted, own: DocumentNorms) -> DocumentNorms:
    if fitted.parent is None:
        return own
    far = norms_before(folder, fitted.parent)
    columns = {field: np.concatenate([getattr(far, field), getattr(own, field)]) for field in FIELDS}
    n_far = len(far.loss)
    return DocumentNorms(**columns, skipped=(*far.skipped, *(n_far + i for i in own.skipped)))


def _read(part: Finished) -> DocumentNorms:
    with np.load(part.folder / "norms.npz") as stored:
        columns = {field: stored[field] for field in FIELDS}
    skipped = np.flatnonzero(~np.isfinite(columns["loss"]))
    return DocumentNorms(**columns, skipped=tuple(skipped.tolist()))
