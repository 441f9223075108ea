"""EDGE: figures of a file as parts of the output folder, published with the database; and a file of what was measured.

What was measured here comes first: of a model, a figure of the file stands only where no measure of the folder has one
of the same name, and a table only where none has rows of it.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attribution.errors import BadInput
from indexer import __version__
from indexer.config.config import Config
from indexer.database.arrow import arrow_schema
from indexer.database.evaluations import evaluation_parts
from indexer.database.schema import TABLES
from indexer.database.shard import table_of, write_shard
from indexer.figures.file import Row, Saved, read_figures, write_figures
from indexer.figures.matching import matched, settings_of
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage
from indexer.size.member import Member

PREFIX = "figures-"
FIGURES = "evaluation"  # the table whose rows are told apart by their metric
MODEL, DETAIL, METRIC = "model_id", "detail", "metric"

Figures = Sequence[tuple[Member, Saved]]


def given_figures(config: Config, members: Sequence[Member]) -> tuple[Figures, list[str]]:
    """Those of the configuration's file that hold for these models, and a line for each that do not."""
    path = config.evaluation.figures
    if path is None:
        return [], []
    if not path.exists():
        return [], [f"{path.name}: no such file yet; `whence evaluate --save` writes it"]
    holds, lines = matched(read_figures(path), members)
    return holds, [f"{path.name}: {line}" for line in lines]


def figure_parts(folder: Path, figures: Figures) -> list[Finished]:
    """Shards of what the file adds to the folder's own measures."""
    parts = []
    by_model: dict[tuple[str, str], list[Saved]] = {}
    for member, saved in figures:
        by_model.setdefault((member.entry.name, saved.weights), []).append(saved)
    for (name, weights), of in by_model.items():
        tables = _first_of_each(of, _own(folder, weights))
        if tables:
            made_of = key(tables=tables, measured=[[each.measured, each.command] for each in of])
            parts += stage(folder, f"{PREFIX}{name}", made_of, [weights], _writing(weights, tables))
    return parts


def _first_of_each(of: Sequence[Saved], own: Mapping[str, list[dict[str, Any]]]) -> dict[str, list[Row]]:
    """What several commands have measured of one model: of a figure and of a table that two have, the first one's."""
    known: dict[str, list[Row]] = {name: list(rows) for name, rows in own.items()}
    added: dict[str, list[Row]] = {}
    for saved in of:
        for name, rows in _added(saved, known).items():
            if rows:
                added.setdefault(name, []).extend(rows)
                known.setdefault(name, []).extend(rows)
    return added


def save_figures(path: Path, folder: Path, members: Sequence[Member], command: str) -> None:
    """What the folder has measured of these models, into a file; what it holds of others stays."""
    found = []
    for member in members:
        tables = {name: [_told(row) for row in rows] for name, rows in _own(folder, member.loaded.weights_hash).items()}
        if tables:
            about = (member.loaded.weights_hash, member.corpus.hash, settings_of(member.config))
            today = f"{datetime.now(UTC):%Y-%m-%d}"
            found.append(Saved(member.entry.name, *about, today, command, __version__, tables))
    write_figures(path, found)


def _own(folder: Path, model_id: str) -> dict[str, list[dict[str, Any]]]:
    """Table -> rows that were measured here."""
    rows: dict[str, list[dict[str, Any]]] = {}
    for part in evaluation_parts(folder, [model_id]):
        for name in sorted(part.files):
            if name.endswith(".parquet") and table_of(Path(name)) in TABLES:
                rows.setdefault(table_of(Path(name)), []).extend(pq.read_table(part.folder / name).to_pylist())
    return rows


def _added(saved: Saved, own: Mapping[str, Sequence[Row]]) -> dict[str, list[Row]]:
    added: dict[str, list[Row]] = {}
    for name, rows in saved.tables.items():
        if name == FIGURES:
            measured = {row.get(METRIC) for row in own.get(FIGURES, ())}
            where = {"measured": saved.measured, "command": saved.command}
            added[name] = [
                {**row, DETAIL: {**_detail(row), **where}} for row in rows if row.get(METRIC) not in measured
            ]
        elif name in TABLES and name not in own:
            added[name] = list(rows)
    return added


def _detail(row: Row) -> dict[str, Any]:
    of = row.get(DETAIL)
    return dict(of) if isinstance(of, dict) else {"how": of}


def _writing(model_id: str, tables: Mapping[str, Sequence[Row]]) -> Callable[[Partition], None]:
    def compute(part: Partition) -> None:
        for name, rows in tables.items():
            known = [column for column in arrow_schema(name).names if column != MODEL]
            columns: dict[str, list[Any]] = {MODEL: [model_id] * len(rows)}
            columns |= {column: [_stored(row.get(column)) for row in rows] for column in known}
            try:
                write_shard(part.folder, name, columns)
            except pa.ArrowException as error:
                raise BadInput(f"expected rows of {name} in the figures, found: {error}; save them again") from None

    return compute


def _told(row: Row) -> dict[str, Any]:
    """A row for the file."""
    return dict(_readable(row))


def _readable(row: Row) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if name == MODEL:
            continue
        try:
            parsed = json.loads(value) if name == DETAIL else value
        except (TypeError, ValueError):
            parsed = value
        yield name, parsed if isinstance(parsed, dict) else value


def _stored(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
