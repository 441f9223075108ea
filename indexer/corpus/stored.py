"""EDGE: the documents of a build as it left them: Arrow files, memory-mapped, so that one document is read alone.

They are known by the files that they were read from: by size and time of these, as `make` does, and where the time is
another by their bytes. So opening them reads none of the corpus, however large it is.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, astuple, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa

from attribution.errors import BadInput
from indexer.corpus.corpus import Lazy, Numbers
from indexer.corpus.document import Document
from indexer.corpus.given import found_files, place_name
from indexer.corpus.reader import CorpusReading, Source
from indexer.journal.files import file_hash
from indexer.journal.stages import finished, intact

STAGE, LIST = "documents", "corpora.json"
LAYOUT = 1  # of the files below; another number makes a build write them anew
_COLUMNS = tuple(field.name for field in fields(Document))  # "turns" only where a document has any: so it was before


@dataclass(frozen=True)
class StoredCorpus:
    """One stage of training; `table` is mapped, not read."""

    hash: str
    table: pa.Table
    n_seen: int

    @cached_property
    def documents(self) -> Sequence[Document]:
        columns = [self.table.column(name) for name in _COLUMNS if name in self.table.column_names]
        return Lazy(len(self.table), lambda i: Document(*(column[i].as_py() for column in columns)))

    @cached_property
    def numbers(self) -> Numbers:
        """A view of the file  # [D]"""
        made: Numbers = self.table.column("number").chunk(0).to_numpy()
        return made


def write_corpora(corpora: Sequence[CorpusReading], folder: Path) -> None:
    """One Arrow file each, and the list of them. Call it in `compute` of the stage."""
    listed = []
    for i, corpus in enumerate(corpora):
        name = f"corpus-{i}.arrow"
        values = zip(*map(astuple, corpus.documents), strict=True)
        columns: dict[str, Any] = {
            column: pa.array(of, type=pa.large_string())
            for column, of in zip(_COLUMNS, values, strict=True)
            if column != "turns" or any(of)
        }
        columns["number"] = pa.array(corpus.numbers, type=pa.uint64())
        batch = pa.record_batch(columns)
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_file(sink, batch.schema) as writer:
            writer.write_batch(batch)
        sources = [asdict(each) for each in corpus.sources]
        about = {"sources": sources, "read_as": list(corpus.read_as), "n_seen": corpus.n_seen}
        listed.append({"file": name, "hash": corpus.hash} | about)
    (folder / LIST).write_text(json.dumps(listed) + "\n")


def open_corpus(folder: Path, files: Sequence[Path], text: Sequence[str] = ()) -> StoredCorpus:
    """What a build has read from exactly these files, and these columns of them.

    Raises BadInput, with the command that mends it, when there is no build or when the files are not as they were;
    Damaged for a stored file that is not what was written.
    """
    parts = [part for part in finished(folder, STAGE) if LIST in part.files]
    if not parts:
        raise BadInput(f"expected the documents of a build in {folder}, found none; run `python -m indexer build`")
    intact(parts[-1])
    there = found_files(files)
    for each in json.loads((parts[-1].folder / LIST).read_text()):
        sources = [Source(**source) for source in each["sources"]]
        if each.get("read_as", []) != list(text) or len(sources) != len(there):
            continue
        if all(map(_same, there, sources)):
            with pa.memory_map(str(parts[-1].folder / each["file"])) as mapped:
                table = pa.ipc.open_file(mapped).read_all()
            return StoredCorpus(each["hash"], table, each.get("n_seen", len(table)))
    names = ", ".join(file.name for file in files)
    raise BadInput(
        f"expected {names} as the build in {folder} read it, found other text; run `python -m indexer build`"
    )


def _same(file: Path, source: Source) -> bool:
    """Whether a file is the one that was read: its name is a column of the documents too."""
    try:
        about = file.stat()
    except OSError as error:
        raise BadInput(f"expected a file at {file}, found: {error.strerror}; correct the path") from None
    if place_name(file) != source.name or about.st_size != source.size:
        return False
    return about.st_mtime_ns == source.mtime_ns or file_hash(file) == source.sha256
