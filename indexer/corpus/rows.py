"""EDGE: rows of a .json, .jsonl, .csv, .parquet or .arrow file, a batch at a time, each with the place to name when
something is wrong with it."""

import csv
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, cast

import pyarrow as pa
import pyarrow.parquet as pq

from attribution.errors import BadInput
from indexer.corpus.given import place_name
from indexer.corpus.json_values import json_values

Row = tuple[str, dict[str, Any]]  # ("corpus.jsonl line 12", {"text": …})
# of the columns that a file has, those to read; it may refuse them
Choose = Callable[[Sequence[str]], Sequence[str]]
BATCH = 1024  # rows of a file with columns
_PIECE = 1 << 20  # bytes of a column of Parquet that are read at a time, however large its row groups are
_HEAD = 4096  # bytes that say whether a file is one array
_QUOTED = re.compile(r'"[^"]*"')


def rows(file: Path, choose: Choose | None = None) -> Iterator[Row]:
    """All rows of the file in order; `choose` is asked once of a file with columns, before any row is read.

    Raises BadInput for a missing or unreadable file, an unknown ending, a column that is read and stands there twice,
    and a row that is none.
    """
    name = file.name.lower()
    reader = _READERS.get(Path(name.removesuffix(".gz")).suffix)
    if reader is None or (name.endswith(".gz") and reader in (_parquet, _arrow)):
        raise BadInput(
            "expected a file named .jsonl, .json, .csv (each also .gz) or .parquet, or a folder of save_to_disk, "
            f"found {file.name}; convert it or rename it"
        )
    try:
        yield from reader(file, choose or list)
    except FileNotFoundError:
        raise BadInput(f"expected a file at {file}, found none; correct the path") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise BadInput(f"expected a whole gzip file at {file}, found: {error}; compress it again") from None
    except OSError as error:
        raise BadInput(f"expected a readable file at {file}, found: {error.strerror or error}") from None


def _opened(file: Path) -> IO[bytes]:
    if not file.name.lower().endswith(".gz"):
        return file.open("rb")
    return cast(IO[bytes], gzip.open(file, "rb"))  # noqa: SIM115 - whoever calls closes it


def _json(file: Path, choose: Choose) -> Iterator[Row]:
    """One object a line; or one array, or objects over several lines, whatever the file is named."""
    with _opened(file) as stream:
        head = stream.read(_HEAD).removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"[") or (head.startswith(b"{") and not _begins_with_a_line(file)):
        yield from _json_stream(file)
    else:
        yield from _json_lines(file)


def _begins_with_a_line(file: Path) -> bool:
    """Whether the first line that says anything is a value of its own."""
    with _opened(file) as lines:
        first = next((line for line in lines if line.removeprefix(b"\xef\xbb\xbf").strip()), b"")
    try:
        json.loads(first.removeprefix(b"\xef\xbb\xbf"))
    except UnicodeDecodeError:
        return True  # it is named when it is read
    except (ValueError, RecursionError):
        return False
    return True


def _json_lines(file: Path) -> Iterator[Row]:
    with _opened(file) as lines:
        for number, raw in enumerate(lines, start=1):
            place = f"{file.name} line {number}"
            line = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw  # a byte order mark
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8"))
            except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, or nested beyond reason
                raise BadInput(f"expected one JSON object in {place}, found: {error}; mend that line") from None
            yield place, _object(row, place)


def _json_stream(file: Path) -> Iterator[Row]:
    number = 0
    with _opened(file) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig", newline="") as text:
        try:
            for number, row in enumerate(json_values(text.read), start=1):
                place = f"{file.name} item {number}"
                yield place, _object(row, place)
        except (ValueError, RecursionError) as error:
            where = f"{file.name} after item {number}" if number else f"{file.name} line 1"
            raise BadInput(f"expected JSON objects in {where}, found: {error}; mend it") from None


def _object(row: Any, place: str) -> dict[str, Any]:
    if not isinstance(row, dict):
        raise BadInput(f"expected a JSON object in {place}, found {type(row).__name__}; mend it")
    return row


def _csv(file: Path, choose: Choose) -> Iterator[Row]:
    csv.field_size_limit(sys.maxsize)  # the default refuses a field of more than 131,072 characters
    with _opened(file) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig", newline="") as stream:
        number = 0
        try:
            separator = _separator(stream.readline())
            stream.seek(0)
            reader = csv.DictReader(stream, strict=True, delimiter=separator)
            wanted = _chosen(file, list(reader.fieldnames), choose) if reader.fieldnames else []
            for row in reader:
                number = reader.line_num
                place = f"{file.name} line {number}"
                if None in row:
                    n_fields = len(reader.fieldnames or [])
                    raise BadInput(f"expected {n_fields} fields in {place}, found more; quote {_SAID[separator]}")
                yield place, {column: row[column] for column in wanted}
        except (csv.Error, UnicodeDecodeError) as error:
            where = f"{file.name} after line {number}"
            raise BadInput(f"expected CSV in UTF-8 in {where}, found: {error}; mend that line") from None


def _chosen(file: Path, names: list[str], choose: Choose) -> list[str]:
    """The columns to read, each once; columns without a name are nobody's."""
    wanted = list(choose(names))
    for name in wanted:
        if name and names.count(name) > 1:
            raise BadInput(f"expected one column {name!r} in {place_name(file)}, found several; rename all but one")
    return wanted


_SAID = {",": "commas", ";": "semicolons", "\t": "tabs"}


def _separator(header: str) -> str:
    """What stands between the names of the columns: only these are looked at, never the data."""
    bare = _QUOTED.sub("", header)
    return max(_SAID, key=bare.count)  # the first of equals: a comma


def _parquet(file: Path, choose: Choose) -> Iterator[Row]:
    try:
        with pq.ParquetFile(file, buffer_size=_PIECE) as parquet:
            wanted = _chosen(file, parquet.schema_arrow.names, choose)
            yield from _numbered(file, parquet.iter_batches(batch_size=BATCH, columns=wanted))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadInput(f"expected a whole Parquet file at {file}, found: {error}; write it again") from None


def _arrow(file: Path, choose: Choose) -> Iterator[Row]:
    try:
        with pa.memory_map(str(file)) as mapped:
            schema, batches = _arrow_batches(mapped)
            wanted = _chosen(file, schema.names, choose)
            yield from _numbered(file, (batch.select(wanted) for batch in batches))
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise BadInput(f"expected a whole Arrow file at {file}, found: {error}; save it again") from None


def _arrow_batches(mapped: Any) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
    """Of Arrow's stream format, which `save_to_disk` writes, or of its file format."""
    is_file = mapped.read(6) == b"ARROW1"
    mapped.seek(0)
    if not is_file:
        reader = pa.ipc.open_stream(mapped)
        return reader.schema, reader
    whole = pa.ipc.open_file(mapped)
    return whole.schema, (whole.get_batch(i) for i in range(whole.num_record_batches))


def _numbered(file: Path, batches: Iterable[pa.RecordBatch]) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for first in range(0, batch.num_rows, BATCH):
            for row in batch.slice(first, BATCH).to_pylist():
                number += 1
                yield f"{place_name(file)} row {number}", row


_READERS: dict[str, Callable[[Path, Choose], Iterator[Row]]] = {
    ".jsonl": _json,
    ".ndjson": _json,
    ".json": _json,
    ".csv": _csv,
    ".tsv": _csv,
    ".parquet": _parquet,
    ".arrow": _arrow,
}
ENDINGS = tuple(_READERS)  # of files that have rows; but for the last two also .gz
