"""EDGE: which components the influence of documents passes through, in the parts of the influence stage.

The influence stage leaves them (see `indexer.tracing.left`). Where they are made again, that is for the kept pairs
alone.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from attribution.components.taught import Taught, taught
from attribution.components.units import Units
from indexer.database.arrow import columns_of
from indexer.journal.stages import Finished, key
from indexer.size.answers import Answer
from indexer.size.fitted import Fitted
from indexer.tracing.chunks import Chunk, chunks
from indexer.tracing.explain import Kept, Place, token_directions
from indexer.tracing.heat import Heat
from indexer.tracing.left import Left
from indexer.tracing.prompt_rows import joined

TABLE = "component_taught"
FIELDS = {
    "head_scores": "heads",
    "kv_head_scores": "kv_heads",
    "neurons": "neurons",
    "neuron_scores": "neuron_scores",
    "neuron_rest": "neuron_rest",
    "bias_score": "bias",
}
Columns = dict[str, list[Any]]


def taught_columns(run: str, kept: Kept, heat: Heat, ids: Sequence[str]) -> Columns:
    """Columns of `component_taught`, of the documents that have position shares."""
    rows = [
        (place, ids[document], of)
        for q, place in enumerate(kept.places)
        for document, of in zip(kept.ranked[q].top, (heat.taught or [])[q], strict=False)
    ]
    return _columns(run, rows)


def left(neurons: int) -> Left:
    """What the influence stage leaves for `taught_stage`."""
    return Left(TABLE, str(neurons))


def taught_stage(
    folder: Path,
    fitted: Fitted,
    units: Units,
    answers: Sequence[Answer],
    scored: Sequence[Finished],
    tick: Callable[[float], None],
) -> list[Finished]:
    """A shard of `component_taught` for every part of the influence stage; `tick(n)` after n tokens."""
    neurons, by_id = fitted.member.config.inside.neurons, {each.generation_id: each for each in answers}

    def again(of: Finished) -> Columns:
        return _again(fitted, units, by_id, _kept(fitted, of), neurons, tick)

    made_of = key(neurons=neurons, tables=columns_of(TABLE))
    return left(neurons).stage(folder, f"taught-{fitted.member.entry.name}", made_of, scored, again)


def _kept(fitted: Fitted, scored: Finished) -> dict[Place, list[int]]:
    """Of every token its documents with position shares, as indices."""
    names = ["generation_id", "position", "document_id"]
    rows = pq.read_table(scored.folder / "influence_position.parquet", columns=names).to_pylist()
    at = fitted.member.places({row["document_id"] for row in rows})
    found: dict[Place, list[int]] = {}
    for row in rows:
        found.setdefault((row["generation_id"], row["position"]), []).append(at[row["document_id"]])
    return found


def _again(
    fitted: Fitted,
    units: Units,
    by_id: Mapping[str, Answer],
    kept: Mapping[Place, list[int]],
    neurons: int,
    tick: Callable[[float], None],
) -> Columns:
    member = fitted.member
    some = [by_id[generation_id] for generation_id in dict.fromkeys(of for of, _ in kept)]
    parts = []
    for chunk in chunks(fitted.terms, some, member.config.output.folder):
        places = [(some[a].generation_id, position) for a, positions in chunk.stretches for position in positions]
        of = [kept.get(place, []) for place in places]
        split = _split(fitted, units, some, chunk, of, neurons)
        rows = [(place, member.document_ids[i], split[q, i]) for q, place in enumerate(places) for i in of[q]]
        parts.append(_columns(fitted.run, rows))
        tick(len(places))
    return joined(parts) or _columns(fitted.run, [])


def _split(
    fitted: Fitted,
    units: Units,
    answers: Sequence[Answer],
    chunk: Chunk,
    of: Sequence[Sequence[int]],
    neurons: int,
) -> dict[tuple[int, int], Taught]:
    rows, found = fitted.member.rows, dict[tuple[int, int], Taught]()
    n_tokens = sum(len(rows[i]) for i in {i for each in of for i in each})
    for term, directions in token_directions(fitted.terms, answers, chunk, n_tokens):
        own = [[i for i in each if i in term.documents] for each in of]
        found |= taught(term.trained, directions, rows, own, term.n_train, units, most=neurons).taught
    return found


def _columns(run: str, rows: Sequence[tuple[Place, str, Taught]]) -> Columns:
    columns: Columns = {
        "run_id": [run] * len(rows),
        "generation_id": [place[0] for place, _, _ in rows],
        "position": [place[1] for place, _, _ in rows],
        "document_id": [document_id for _, document_id, _ in rows],
    }
    return columns | {name: [getattr(of, field) for _, _, of in rows] for name, field in FIELDS.items()}
