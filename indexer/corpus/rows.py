"""EDGE: rows of a .jsonl, .parquet or .csv file, each with the place to name when something is wrong with it."""

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from attribution.errors import BadInput

Row = tuple[str, dict[str, Any]]  # ("corpus.jsonl line 12", {"text": …})


def rows(file: Path, columns: tuple[str, ...] | None = None) -> Iterator[Row]:
    """All rows of the file in order; `columns` limits what is read of a .parquet file.

    Raises BadInput for a missing or unreadable file, an unknown suffix, and a line that is not JSON.
    """
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise BadInput(f"expected a file named .jsonl, .parquet or .csv, found {file.name}; convert it or rename it")
    try:
        yield from reader(file, columns)
    except FileNotFoundError:
        raise BadInput(f"expected a file at {file}, found none; correct the path") from None
    except OSError as error:
        raise BadInput(f"expected a readable file at {file}, found: {error.strerror or error}") from None


def _jsonl(file: Path, columns: tuple[str, ...] | None) -> Iterator[Row]:
    with file.open("rb") as lines:
        for number, raw in enumerate(lines, start=1):
            place = f"{file.name} line {number}"
            line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw  # a byte order mark
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested beyond reason
                raise BadInput(f"expected one JSON object in {place}, found: {error}; mend that line") from None
            if not isinstance(row, dict):
                raise BadInput(f"expected a JSON object in {place}, found {type(row).__name__}; mend that line")
            yield place, row


def _csv(file: Path, columns: tuple[str, ...] | None) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)  # the default refuses a field of more than 131,072 characters
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            for row in reader:
                place = f"{file.name} line {reader.line_num}"
                if None in row:
                    raise BadInput(
                        f"expected {len(reader.fieldnames or [])} fields in {place}, found more; quote commas"
                    )
                yield place, dict(row)
        except (csv.Error, UnicodeDecodeError) as error:
            where = f"{file.name} after line {reader.line_num}"
            raise BadInput(f"expected CSV in UTF-8 in {where}, found: {error}; mend that line") from None


def _parquet(file: Path, columns: tuple[str, ...] | None) -> Iterator[Row]:
    try:
        with pq.ParquetFile(file) as parquet:
            wanted = [name for name in parquet.schema_arrow.names if columns is None or name in columns]
            number = 0
            for batch in parquet.iter_batches(batch_size=1024, columns=wanted):
                for row in batch.to_pylist():
                    number += 1
                    yield f"{file.name} row {number}", row
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadInput(f"expected a whole Parquet file at {file}, found: {error}; write it again") from None


_READERS: dict[str, Callable[[Path, tuple[str, ...] | None], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
    ".parquet": _parquet,
}
