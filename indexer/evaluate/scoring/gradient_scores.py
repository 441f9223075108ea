"""EDGE: what gradients say at some weights of a model, documents and weights shared out among processes.

A score is a sum over blocks, and what is compared are kinds of them, so one number is kept for each kind.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attribution.curvature.blocks import Preconditioner, damp, no_curvature
from attribution.curvature.work import lengths
from attribution.exact.scores import score_documents
from attribution.model.tracked import Tracked
from attribution.query.directions import join_directions
from attribution.query.settled import HELD, settled
from attribution.query.solve import bytes_of_query, query_directions
from indexer.config.config import Config, Model
from indexer.corpus.stored import at_hand
from indexer.evaluate.protocol.queries import Question
from indexer.evaluate.scoring.eigenbasis import turned_preconditioner
from indexer.journal.part import Partition
from indexer.journal.stages import found, is_finished, key, stage
from indexer.processes.at_once import at_once
from indexer.processes.side_by_side import side_by_side
from indexer.size.factors import fit
from indexer.size.fitted import Fitted
from indexer.size.member import Member, open_member

Numbers = NDArray[np.float32]
Tick = Callable[[int], None]
TURNED = "embedding turned"  # its block in an eigenbasis, `attribution/curvature/embedding_eigenbasis.py`
SHARE = 4096  # documents of one part at most, in equal parts


@dataclass(frozen=True)
class Scored:
    """Influence of every document on every query, by kind of block."""

    values: Numbers  # [Q, D, C] nats
    kinds: tuple[str, ...]  # C, of `kinds_of`

    @property
    def total(self) -> Numbers:
        """[Q, D]"""
        return self.of(self.kinds)

    def of(self, kinds: Sequence[str]) -> Numbers:
        """What blocks of these kinds say  # [Q, D]"""
        chosen: Numbers = self.values[:, :, [kind in kinds for kind in self.kinds]].sum(axis=2)
        return chosen


@dataclass(frozen=True)
class Variants:
    """How gradients are compared; by the fitted curvature at the configured damping in any case."""

    plain: bool = False  # their inner product too
    turned: bool = False  # the embedding in an eigenbasis
    dampings: tuple[float, ...] = ()


@dataclass(frozen=True)
class Work:
    """One share of the documents at one set of weights, for a process that opens the model itself."""

    stage: str
    key: str
    entry: Model
    config: Config
    documents: tuple[int, int]  # first, and the one after the last
    asked: tuple[Question, ...]
    variants: Variants

    @property
    def n(self) -> int:
        return self.documents[1] - self.documents[0]

    @property
    def part(self) -> tuple[str, str, list[str | int]]:
        """Stage, key and part that its scores are kept under."""
        return self.stage, self.key, [self.documents[0]]


def gradient_scores(
    folder: Path, what: str, of: Fitted, asked: Sequence[Question], variants: Variants, tick: Tick
) -> dict[str, Scored]:
    """`scores_over` at the weights of one model."""
    [scores] = scores_over(folder, what, [(of, variants)], asked, tick)
    return scores


def scores_over(
    folder: Path, what: str, models: Sequence[tuple[Fitted, Variants]], asked: Sequence[Question], tick: Tick
) -> list[dict[str, Scored]]:
    """Scores of every variant by its name, at the weights of each model; `tick(n)` after n documents.

    Names: "gradient_dot"; "ekfac"; "ekfac, embedding turned"; "ekfac, λ 0.01".
    """
    work = [(of, _shares(what, of, asked, variants)) for of, variants in models]
    every = [(of, each) for of, shares in work for each in shares]
    missing = [(of, each) for of, each in every if not is_finished(folder, *each.part)]
    tick(sum(each.n for _, each in every) - sum(each.n for _, each in missing))
    fitted = models[0][0]
    member = fitted.member
    n_processes = at_once(member.config.device, member.loaded.device.type, member.loaded.n_params)
    if n_processes > 1 and len(missing) > 1:
        sizes = iter([each.n for _, each in missing])
        side_by_side(
            partial(_open_and_score, folder), [each for _, each in missing], n_processes, lambda: tick(next(sizes))
        )
    else:
        for of, each in missing:  # nothing is opened twice where one process works
            _score(folder, of, each)
            tick(each.n)
    return [_read(folder, of.member.tracked, shares) for of, shares in work]


def kinds_of(tracked: Tracked) -> tuple[str, ...]:
    return tuple(sorted({layer.kind for layer in tracked.layers}))


def _shares(what: str, of: Fitted, asked: Sequence[Question], variants: Variants) -> list[Work]:
    member, n = of.member, len(of.member.documents)
    bounds = np.linspace(0, n, -(-n // SHARE) + 1).astype(int).tolist()
    made_of = key(
        run=of.run,
        asked=[[each.ids, each.first] for each in asked],
        variants=variants,
        corpus=member.corpus.hash,
    )
    name = f"scored-{what}-{member.entry.name}"
    return [
        Work(name, key(made_of=made_of, documents=part), member.entry, member.config, part, tuple(asked), variants)
        for part in zip(bounds, bounds[1:], strict=False)
    ]


def _open_and_score(folder: Path, work: Work) -> None:
    """In a process of its own."""
    _score(folder, _opened(folder, work.entry, work.config), work)


@lru_cache(maxsize=1)
def _opened(folder: Path, entry: Model, config: Config) -> Fitted:
    """Kept for the next share of the same model."""
    return fit(folder, open_member(entry, config, partial(at_hand, config.output.folder)))


def _score(folder: Path, of: Fitted, work: Work) -> None:
    """One share. The curvature is ready before its stage begins: a stage inside another gives up the outer claim."""
    wanted = _preconditioners(folder, of, work.variants)

    def compute(part: Partition) -> None:
        scores = scored(of.member, wanted, work.asked, slice(*work.documents))
        values: dict[str, Any] = {name: each.values for name, each in scores.items()}
        np.savez(part.folder / "scores.npz", **values)

    name, made_of, parts = work.part
    stage(folder, name, made_of, parts, compute)


def _read(folder: Path, tracked: Tracked, shares: Sequence[Work]) -> dict[str, Scored]:
    parts: dict[str, list[Numbers]] = {}
    for each in shares:
        [part] = found(folder, *each.part)
        with np.load(part.folder / "scores.npz") as stored:
            for name in stored.files:
                parts.setdefault(name, []).append(stored[name])
    kinds = kinds_of(tracked)
    return {name: Scored(np.concatenate(of, axis=1), kinds) for name, of in parts.items()}


def _preconditioners(folder: Path, fitted: Fitted, variants: Variants) -> dict[str, Preconditioner]:
    tracked = fitted.member.tracked
    wanted = {"ekfac": fitted.preconditioner}
    if variants.plain:
        wanted["gradient_dot"] = no_curvature(tracked, fitted.preconditioner)
    if variants.turned and tracked.embedding:
        wanted[f"ekfac, {TURNED}"] = turned_preconditioner(folder, fitted)
    return wanted | {f"ekfac, λ {damping:g}": damp(fitted.factors, damping) for damping in variants.dampings}


def _bytes_of_query(tracked: Tracked, wanted: Mapping[str, Preconditioner], asked: Sequence[Question]) -> int:
    """Of the largest, each with a pass of its own; those of several bases stand side by side as whole matrices
    (`matrices.joined`)."""
    size = max(bytes_of_query(tracked, of, len(each.ids), 1) for of in wanted.values() for each in asked)
    bases = {id(getattr(of.blocks[0], "basis", None)) for of in wanted.values()}
    return size if len(bases) == 1 else size + 4 * tracked.n_linear


def scored(
    member: Member,
    wanted: Mapping[str, Preconditioner],
    asked: Sequence[Question],
    documents: slice = slice(None),
    last: Tracked | None = None,
) -> dict[str, Scored]:
    """Influence of these documents on every query under each preconditioner.

    last: the weights at which the queries are taken; None: the member's own.
    In as few passes over the documents as memory allows: a gradient serves all preconditioners.
    """
    tracked = member.tracked
    queries = [(name, each) for name in wanted for each in asked]
    step = max(1, tracked.schedule.share(HELD) // _bytes_of_query(tracked, wanted, asked))
    n_tokens = int(lengths(member.rows[documents]).sum())
    kinds = kinds_of(tracked)
    of_kind = np.array([[layer.kind == kind for kind in kinds] for layer in tracked.layers], dtype=np.float32)
    by_kind = []
    for start in range(0, len(queries), step):
        directions = join_directions(
            [
                query_directions(last or tracked, wanted[name], each.ids, each.first, measurement="mean_logp")
                for name, each in queries[start : start + step]
            ]
        )
        directions = settled(tracked, directions, n_tokens)
        by_layer = score_documents(tracked, directions, member.rows[documents], member.n_train).values
        by_kind.append(by_layer @ of_kind)
    by_query, n = np.concatenate(by_kind), len(asked)
    return {name: Scored(by_query[i * n : (i + 1) * n], kinds) for i, name in enumerate(wanted)}
