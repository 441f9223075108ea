"""EDGE: a size described in rows: the model, its layers and how much of it they are, its run, and its documents token
by token."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from attribution.model.coverage import coverage
from attribution.trained.document import TrainedText
from indexer.database.shard import Columns, write_in_order, write_shard
from indexer.groups.regime import Regime
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.fitted import Fitted
from indexer.size.member import Member
from indexer.tracing.rows.run import write_run

DOCUMENTS = 256  # whose tokens are in memory at once
TOKEN = ("document_id", "token_position", "text", "start", "stop", "read_in", "learned")


def description(folder: Path, fitted: Fitted, seconds: float, of: Regime) -> Finished:
    """Shards of `model`, `layer`, `run` and `document_token`."""
    facts = {"regime": of.facts}

    def compute(part: Partition) -> None:
        _model(part.folder, fitted.member)
        _layers(part.folder, fitted.member)
        write_run(part.folder, fitted, fitted.run, _method(fitted.member.n_stages), seconds, facts)
        _document_tokens(part.folder, fitted.member)

    member = fitted.member
    entry = [member.entry.name, member.entry.family, member.entry.stage, member.entry.parent]
    scores = member.config.scores.of_tokens()
    made_of = key(run=fitted.run, entry=entry, factors=member.config.factors, scores=scores, **facts)
    [part] = stage(folder, stage_name(member.entry.name), made_of, ["all"], compute)
    return part


def plain_description(folder: Path, member: Member) -> Finished:
    """A shard of `model` only: of a size whose influence was not computed."""

    def compute(part: Partition) -> None:
        _model(part.folder, member)

    made_of = key(base=member.base_key, entry=[member.entry.name, member.entry.family])
    [part] = stage(folder, stage_name(member.entry.name), made_of, ["all"], compute)
    return part


def coverage_part(folder: Path, member: Member) -> Finished:
    """A shard of `coverage`: made when a database is published, since no score depends on it."""
    model_id, layers = member.loaded.weights_hash, [layer.name for layer in member.tracked.layers]

    def compute(part: Partition) -> None:
        found = coverage(member.tracked)
        columns = {"model_id": [model_id] * len(found)}
        columns |= {name: [getattr(of, name) for of in found] for name in ("kind", "name", "n_params")}
        write_shard(part.folder, "coverage", columns)

    [part] = stage(folder, f"coverage-{member.entry.name}", key(model=model_id, layers=layers), ["all"], compute)
    return part


def stage_name(size: str) -> str:
    """Name of the stage; the journal lists it once the size is built."""
    return f"about-{size}"


def _method(n_stages: int) -> str:
    return "ekfac" if n_stages == 1 else f"ekfac, {('two', 'three', 'four', 'five')[n_stages - 2]} stages"


def _model(folder: Path, member: Member) -> None:
    loaded, entry = member.loaded, member.entry
    about = {
        "model_id": loaded.weights_hash,
        "name": entry.name,
        "family": entry.family,
        "n_params": loaded.n_params,
        "n_layers": int(loaded.settings.num_hidden_layers),
        "stage": entry.stage,
        "parent": entry.parent,
        "tokenizer_id": loaded.tokenizer_hash,
    }
    write_shard(folder, "model", {name: [value] for name, value in about.items()})


def _layers(folder: Path, member: Member) -> None:
    layers = member.tracked.layers
    columns = {
        "model_id": [member.loaded.weights_hash] * len(layers),
        "layer": [layer.index for layer in layers],
        "name": [layer.name for layer in layers],
        "kind": [layer.kind for layer in layers],
        "depth": [layer.depth for layer in layers],
    }
    write_shard(folder, "layer", columns)


def _document_tokens(folder: Path, member: Member) -> None:
    """By document, as the table is read; one of two stages is there twice."""
    write_in_order(folder, "document_token", _pieces(member))


def _pieces(member: Member) -> Iterator[Columns]:
    numbers = member.numbers
    order = np.argsort(numbers, kind="stable")
    first = 0
    while first < len(order):
        stop = min(first + DOCUMENTS, len(order))
        while stop < len(order) and numbers[order[stop]] == numbers[order[stop - 1]]:
            stop += 1
        rows: list[tuple[Any, ...]] = []
        for _, same in groupby(order[first:stop].tolist(), key=lambda i: int(numbers[i])):
            found = (row for i in same for row in _tokens(member.document_ids[i], member.read[i]))
            rows += sorted(found, key=lambda row: row[1])
        columns: dict[str, list[object]] = {name: [row[i] for row in rows] for i, name in enumerate(TOKEN)}
        yield columns | {"tokenizer_id": [member.loaded.tokenizer_hash] * len(rows)}
        first = stop


def _tokens(document_id: str, read: TrainedText) -> Iterator[tuple[Any, ...]]:
    by_token = zip(read.covered, read.window_of, read.row.targets().tolist(), strict=True)
    for position, ((start, stop), window, learned) in enumerate(by_token):
        yield document_id, position, read.text[start:stop], start, stop, window, learned
