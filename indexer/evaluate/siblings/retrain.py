"""EDGE: a model trained anew on chosen documents, and what it makes of the rows that it is asked about.

Every retrained model is a part of its own, keyed by all that it depends on: an interrupted evaluation goes on with the
next model, and one of another recipe, corpus or choice of documents is never taken for this one.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import PreTrainedModel

from attribution.passes.batches import Row
from attribution.threads import threads
from indexer.config.config import Recipe
from indexer.config.versions import VERSIONS
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.training.batches import IGNORED, Mask, batch
from indexer.training.loop import new_model, new_optimiser, train_epoch

Ids = Sequence[Sequence[int]]  # token ids of each text, special tokens included
ASKED_AT_ONCE = 64


@dataclass(frozen=True)
class Training:
    """All that fixes a retrained model and what is measured of it."""

    recipe: Recipe
    end: int  # id that opens and closes every document
    rows: tuple[Row, ...]  # trained on, in this order: a window each
    asked: tuple[tuple[int, ...], ...]  # whose tokens are measured afterwards

    @property
    def key(self) -> str:
        made_of: dict[str, object] = {"recipe": self.recipe, "end": self.end}
        if self.learned is not None:
            made_of["learned"] = digest([np.flatnonzero(each).tolist() for each in self.learned])
        rows = digest([row.ids for row in self.rows])
        return key(**made_of, rows=rows, asked=digest(self.asked), versions=VERSIONS)

    @property
    def learned(self) -> list[Mask] | None:
        """Which tokens of each row are targets; None: all but the first."""
        every = [row.targets() for row in self.rows]
        return None if all(each[1:].all() for each in every) else every


@dataclass(frozen=True)
class Outcome:
    """What a retrained model makes of the asked rows; targets in row order, those of row i at `spans[i]`."""

    logp: NDArray[np.float32]  # [n_targets] nats
    right: NDArray[np.bool_]  # [n_targets] whether the token is the most probable one

    def of_ends(self, asked: Ids, first: Sequence[int]) -> NDArray[np.float64]:
        """log p of what each row says from its token number `first` on, nats  # [R]"""
        stops = np.cumsum([len(row) - 1 for row in asked])
        ends = zip(asked, first, stops, strict=True)
        return np.array([self.logp[stop - (len(row) - at) : stop].sum(dtype=np.float64) for row, at, stop in ends])


def digest(rows: Ids) -> str:
    return hashlib.sha256(json.dumps([list(row) for row in rows]).encode()).hexdigest()[:16]


def retrained(folder: Path, name: str, training: Training, tick: Callable[[int], None] = lambda n: None) -> Outcome:
    """Train if need be; `tick(n)` after n documents, all of them at once for a model that was there."""
    computed: list[bool] = []

    def compute(part: Partition) -> None:
        computed.append(True)
        with threads(1):
            _train(training, part.folder, tick)

    [part] = stage(folder, f"retrained-{name}", training.key, ["all"], compute)
    if not computed:
        tick(len(training.rows) * training.recipe.epochs)
    return outcome(part)


def outcome(part: Finished) -> Outcome:
    with np.load(part.folder / "asked.npz") as stored:
        return Outcome(stored["logp"], stored["right"])


def _train(training: Training, folder: Path, tick: Callable[[int], None]) -> None:
    model = new_model(training.recipe, training.end)
    model.train()
    optimiser = new_optimiser(model)
    ids, learned = [row.ids for row in training.rows], training.learned
    for epoch in range(training.recipe.epochs):
        train_epoch(model, optimiser, ids, training.recipe, epoch, training.end, tick, learned)
    logp, right = measured(model, training.asked, training.end)
    np.savez(folder / "asked.npz", logp=logp, right=right)


def measured(model: PreTrainedModel, asked: Ids, end: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """log p of every token but the first of each row, and whether it is the most probable one, in row order."""
    model.eval()
    order = sorted(range(len(asked)), key=lambda i: len(asked[i]))
    logp: list[NDArray[np.float32]] = [np.zeros(0, dtype=np.float32)] * len(asked)
    right: list[NDArray[np.bool_]] = [np.zeros(0, dtype=np.bool_)] * len(asked)
    for start in range(0, len(order), ASKED_AT_ONCE):
        members = order[start : start + ASKED_AT_ONCE]
        part = batch([asked[i] for i in members], end)
        scored = part.labels != IGNORED
        with torch.inference_mode():
            logits = model(input_ids=part.tokens, use_cache=False).logits[scored]
            table = logits.float().log_softmax(-1)  # [n, V]
        labels = part.labels[scored]
        found = table.gather(1, labels[:, None])[:, 0].numpy()
        best = (table.argmax(1) == labels).numpy()
        stops = scored.sum(1).cumsum(0).tolist()
        for i, begin, stop in zip(members, [0, *stops[:-1]], stops, strict=True):
            logp[i], right[i] = found[begin:stop], best[begin:stop]
    return np.concatenate(logp), np.concatenate(right)
