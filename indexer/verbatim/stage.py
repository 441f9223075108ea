"""EDGE: what the answers of a size say word for word as its training texts do: the stage and its rows."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from indexer.database.arrow import columns_of
from indexer.database.shard import write_shard
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, NotFinished, key, stage
from indexer.size.answers import Answer
from indexer.size.member import Member
from indexer.verbatim.found import NOWHERE, Copied, words_of

SPAN = ("first", "last", "n_places", "n_documents")


def verbatim_stage(
    folder: Path, member: Member, answers: Sequence[Answer], scored: Sequence[Finished]
) -> list[Finished]:
    """Shards of `verbatim` and `verbatim_place`; [] where it was not to be looked, and where nothing may be computed
    and the part is missing: a build from before stays what it is.

    scored: parts of the influence stage: of a document that is kept there a place is kept here
    """
    if not member.config.verbatim.enabled:
        return []

    def compute(part: Partition) -> None:
        words = words_of(folder, member)
        if words is None:
            raise NotFinished("suffix arrays")  # the build keeps them before it works on a size
        preferred = _kept(member, scored)
        rows = [
            (each.generation_id, of)
            for each in answers
            for of in words.of(each.generation.ids, preferred.get(each.generation_id, NOWHERE))
        ]
        write_shard(part.folder, "verbatim", span_columns(rows))
        write_shard(part.folder, "verbatim_place", place_columns(rows, member.document_ids))

    made_of = key(
        read=[of.read_as for of in member.stages],
        answers=[[each.generation_id, list(each.generation.ids)] for each in answers],
        settings=member.config.verbatim,
        kept=[part.key for part in scored],
        tables=columns_of("verbatim", "verbatim_place"),
    )
    try:
        return stage(folder, f"verbatim-{member.entry.name}", made_of, ["all"], compute)
    except NotFinished:
        return []


def span_columns(rows: Sequence[tuple[str, Copied]]) -> dict[str, list[object]]:
    """Columns of `verbatim`.    rows: generation_id, span"""
    made: dict[str, list[object]] = {"generation_id": [generation_id for generation_id, _ in rows]}
    return made | {name: [getattr(of, name) for _, of in rows] for name in SPAN}


def place_columns(rows: Sequence[tuple[str, Copied]], ids: Sequence[str]) -> dict[str, list[object]]:
    """Columns of `verbatim_place`."""
    places = [(generation_id, of.first, ids[d], token) for generation_id, of in rows for d, token in of.places]
    names = ("generation_id", "first", "document_id", "token_position")
    return {name: [place[i] for place in places] for i, name in enumerate(names)}


def as_rows(found: Sequence[Copied], ids: Sequence[str]) -> list[dict[str, Any]]:
    """The spans of one answer as JSON, with their places."""
    return [
        {name: getattr(of, name) for name in SPAN}
        | {"places": [{"document_id": ids[d], "token_position": token} for d, token in of.places]}
        for of in found
    ]


def _kept(member: Member, scored: Sequence[Finished]) -> dict[str, NDArray[np.int64]]:
    """The documents that are kept for the influence on each answer, on any of its targets."""
    found: dict[str, set[str]] = {}
    shards = [part.folder / f"{name}.parquet" for part in scored for name in ("influence", "span_influence")]
    for shard in filter(Path.exists, shards):
        table = pq.read_table(shard, columns=["generation_id", "document_id"])
        rows = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
        for generation_id, document_id in rows:
            found.setdefault(generation_id, set()).add(document_id)
    places = member.places({each for of in found.values() for each in of})
    return {name: np.array(sorted(places[each] for each in of), dtype=np.int64) for name, of in found.items()}
