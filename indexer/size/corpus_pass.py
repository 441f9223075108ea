"""EDGE: one pass over the corpus, in partitions: loss, norms and self-influence of every document, and its shard of the
gradient index."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from attribution.curvature.work import cut, lengths, of_part, pass_work
from attribution.index.compress import budget
from attribution.index.corpus_pass import Passed, corpus_pass
from attribution.index.document_norms import DocumentNorms
from attribution.index.shards import Shard, write_shard
from attribution.passes.capture import Captured
from indexer.corpus.corpus import as_ids
from indexer.database.shard import write_shard as write_rows
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, found, key, stage, under_key
from indexer.size.fitted import Fitted
from indexer.size.member import Member

FIELDS = ("loss", "grad_norm", "self_influence", "solve_norm")
DOCUMENTS = 2048  # of a partition at most
INDEX_FILE = "index.safetensors"


class Watching(Protocol):
    """Somebody who looks at every document that is passed, and leaves what was seen beside the numbers."""

    def see(self, captured: Captured, documents: Sequence[int]) -> None: ...

    def leave(self, folder: Path) -> None: ...


def pass_over_corpus(
    folder: Path,
    fitted: Fitted,
    tick: Callable[[int], None],
    watching: Sequence[Callable[[], Watching]] = (),
) -> tuple[DocumentNorms, list[Finished]]:
    """Numbers of every document, in corpus order; one whose gradient is not finite has NaN.

    The documents of a parent keep the numbers that they have there.   watching: each makes one for each partition
    that is computed; what is left beside changes no number, and no key
    """
    member, run = fitted.member, fitted.run
    most = budget(member.tracked, member.config.index.rank)

    def compute(part: Partition) -> None:
        of = range_of(part.value)
        ids, rows = as_ids(member.corpus.numbers)[of.start : of.stop], member.own_rows[of.start : of.stop]
        watchers = [each() for each in watching]
        made = corpus_pass(
            member.tracked,
            fitted.preconditioner,
            rows,
            member.n_train,
            budget=most,
            tick=tick,
            watch=partial(_seen, watchers, of.start) if watchers else None,
        )
        for watcher in watchers:
            watcher.leave(part.folder)
        columns = {field: getattr(made.norms, field) for field in FIELDS}
        np.savez(part.folder / "norms.npz", **columns)
        write_rows(part.folder, "self_influence", {"run_id": [run] * len(ids), "document_id": ids, **columns})
        write_shard(part.folder / INDEX_FILE, _shard(of.start, made, member.n_train), _names(fitted))

    def done(part: Finished, fresh: bool) -> None:
        of = range_of(part.part)
        tick(0 if fresh else min(of.stop, member.n_documents) - of.start)

    parts = stage(folder, _stage(fitted), _key(fitted), partitions(folder, fitted), compute, done=done, away=True)
    return _with_parent(folder, fitted, _read(parts)), parts


def _seen(watchers: Sequence[Watching], first: int, captured: Captured, members: Sequence[int]) -> None:
    for watcher in watchers:
        watcher.see(captured, [first + i for i in members])


def norms_before(folder: Path, fitted: Fitted) -> DocumentNorms:
    """The numbers that a build has left; BadInput when there are none of this run."""
    return _with_parent(folder, fitted, _read(parts_before(folder, fitted)))


def parts_before(folder: Path, fitted: Fitted) -> list[Finished]:
    """Every partition that a build has left, its files checked; raises BadInput or Damaged.

    Where they were cut is read from the journal: to cut them anew, all documents would have to be read.
    """
    return found(folder, _stage(fitted), _key(fitted), partial(_in_order, fitted.member.n_documents))


def _in_order(n: int, listed: list[Finished]) -> list[str | int]:
    """The partitions of n documents as they are listed; one that is not is named by its first document."""
    starts = {range_of(part.part).start: part.part for part in listed}
    values: list[str | int] = []
    while (first := min(range_of(values[-1]).stop, n) if values else 0) < n:
        values.append(starts.get(first, first))
    return values


def partitions(folder: Path, fitted: Fitted) -> list[str | int]:
    """Of this stage's documents: as they were cut where all are listed, if for a device of another kind; else as they
    are cut here."""
    listed = under_key(folder, _stage(fitted), _key(fitted))
    values = _in_order(fitted.member.n_documents, listed)
    return values if {part.part for part in listed} >= set(values) else cuts(fitted.member)


def _stage(fitted: Fitted) -> str:
    return f"corpus-{fitted.member.entry.name}"


def _key(fitted: Fitted) -> str:
    return key(run=fitted.run, index=fitted.member.config.index, documents=DOCUMENTS)


def cuts(member: Member) -> list[str | int]:
    """The partitions: the first of `DOCUMENTS` documents, or `first-stop` where so many would take long."""
    work, most = pass_work(member.tracked, lengths(member.own_rows)), of_part(member.loaded.device.type, 0)
    values: list[str | int] = []
    for first in range(0, member.n_documents, DOCUMENTS):
        costs = work[first : first + DOCUMENTS]
        parts = cut(costs, range(len(costs)), most)
        values += [first] if len(parts) == 1 else [f"{first + of.start}-{first + of.stop}" for of in parts]
    return values


def range_of(value: str | int) -> range:
    """The documents of a partition; the last one may have fewer."""
    first, _, stop = str(value).partition("-")
    return range(int(first), int(stop) if stop else int(first) + DOCUMENTS)


def _names(fitted: Fitted) -> list[str]:
    return [layer.name for layer in fitted.member.tracked.layers]


def _shard(first: int, made: Passed, n_train: int) -> Shard:
    energy = np.nan_to_num(made.norms.self_influence) * n_train
    return Shard(first, len(energy), tuple(made.kept), torch.from_numpy(made.hidden), torch.from_numpy(energy))


def _with_parent(folder: Path, fitted: Fitted, own: DocumentNorms) -> DocumentNorms:
    if fitted.parent is None:
        return own
    return _joined([norms_before(folder, fitted.parent), own])


def _read(parts: list[Finished]) -> DocumentNorms:
    made = []
    for part in parts:
        with np.load(part.folder / "norms.npz") as stored:
            columns = {field: stored[field] for field in FIELDS}
        skipped = np.flatnonzero(~np.isfinite(columns["loss"]))
        made.append(DocumentNorms(**columns, skipped=tuple(skipped.tolist())))
    return _joined(made)


def _joined(parts: list[DocumentNorms]) -> DocumentNorms:
    columns = {field: np.concatenate([getattr(part, field) for part in parts]) for field in FIELDS}
    starts = np.cumsum([0, *(len(part.loss) for part in parts)]).tolist()
    skipped = (start + i for start, part in zip(starts, parts, strict=False) for i in part.skipped)
    return DocumentNorms(**columns, skipped=tuple(skipped))
