"""EDGE: the documents of a build as it left them: Arrow files, memory-mapped, so that one document is read alone.

They are known by the files that they were read from: by size and time of these, as `make` does, and where the time is
another by their bytes. So opening them reads none of the corpus, however large it is.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa

from attribution.errors import BadInput, Damaged
from indexer.corpus.corpus import COLUMNS, GROUP, TIMES, Corpus, Mapped
from indexer.corpus.given import found_files, place_name
from indexer.corpus.reader import CorpusReading, Source, read_corpus
from indexer.journal.files import file_hash
from indexer.journal.stages import Finished, finished, intact
from indexer.mapped.table import opened

STAGE, LIST = "documents", "corpora.json"
LAYOUT = 1  # of the files below; another number makes a build write them anew


@dataclass(frozen=True)
class StoredCorpus(Mapped):
    """One stage of training."""

    hash: str
    n_seen: int


def write_corpora(corpora: Sequence[CorpusReading], folder: Path) -> None:
    """One Arrow file each, and the list of them. Call it in `compute` of the stage."""
    listed = []
    for i, corpus in enumerate(corpora):
        name = f"corpus-{i}.arrow"
        _write(corpus, folder / name)
        sources = [asdict(each) for each in corpus.sources]
        about = {"sources": sources, "read_as": list(corpus.read_as), "n_seen": corpus.n_seen}
        about |= {"groups": list(corpus.grouped_by)} if corpus.grouped_by else {}
        listed.append({"file": name, "hash": corpus.hash} | about)
    (folder / LIST).write_text(json.dumps(listed) + "\n")


def sources_of(corpora: Sequence[CorpusReading]) -> list[list[tuple[str, str]]]:
    """Name and hash of every file of every corpus."""
    return [[(source.name, source.sha256) for source in corpus.sources] for corpus in corpora]


def listed(part: Finished) -> list[list[tuple[str, str]]]:
    """The same of the corpora that a part holds."""
    if LIST not in part.files:
        return []
    every = json.loads((part.folder / LIST).read_text())
    return [[(source["name"], source["sha256"]) for source in each["sources"]] for each in every]


def _write(corpus: Mapped, path: Path) -> None:
    """Batch by batch; the columns `turns` and `times` only where they say something: so it was before there were such
    documents; and those of groups."""
    names = [name for name in (*COLUMNS, "number") if name != "turns" or corpus.has_turns]
    more = [name for name in corpus.table.column_names if name == TIMES or name.startswith(GROUP)]
    kept = corpus.table.select([*names, *more])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, kept.schema) as writer:
        for batch in kept.to_batches():
            writer.write_batch(batch)


def at_hand(folder: Path, files: Sequence[Path], text: Sequence[str] = (), groups: Sequence[str] = ()) -> Corpus:
    """The same documents as `open_corpus` finds, read from the files where a build has none of them."""
    try:
        return open_corpus(folder, files, text, groups)
    except (BadInput, Damaged):
        return read_corpus(files, text, groups, near=folder)


def open_corpus(
    folder: Path, files: Sequence[Path], text: Sequence[str] = (), groups: Sequence[str] = ()
) -> StoredCorpus:
    """What a build has read from exactly these files, and these columns of them.   groups: as of `read_corpus`

    Raises BadInput, with the command that mends it, when there is no build or when the files are not as they were;
    Damaged for a stored file that is not what was written.
    """
    parts = [part for part in finished(folder, STAGE) if LIST in part.files]
    if not parts:
        raise BadInput(f"expected the documents of a build in {folder}, found none; run `whence build`")
    intact(parts[-1])
    there = found_files(files)
    for each in json.loads((parts[-1].folder / LIST).read_text()):
        sources = [Source(**source) for source in each["sources"]]
        known = set(groups) <= set(each.get("groups", []))
        if not known or each.get("read_as", []) != list(text) or len(sources) != len(there):
            continue
        if all(map(_same, there, sources)):
            table = opened([parts[-1].folder / each["file"]])
            return StoredCorpus(table, each["hash"], each.get("n_seen", len(table)))
    names = ", ".join(file.name for file in files)
    raise BadInput(f"expected {names} as the build in {folder} read it, found other text; run `whence build`")


def corpus_of_hash(folder: Path, wanted: str) -> StoredCorpus:
    """What a build has read, without the files that it was read from; BadInput where it has no such documents."""
    parts = [part for part in finished(folder, STAGE) if LIST in part.files]
    for part in reversed(parts):
        intact(part)
        for each in json.loads((part.folder / LIST).read_text()):
            if each["hash"] == wanted:
                table = opened([part.folder / each["file"]])
                return StoredCorpus(table, each["hash"], each.get("n_seen", len(table)))
    raise BadInput(f"expected the documents {wanted} of a build in {folder}, found others; run `whence build`")


def _same(file: Path, source: Source) -> bool:
    """Whether a file is the one that was read: its name is a column of the documents too."""
    try:
        about = file.stat()
    except OSError as error:
        raise BadInput(f"expected a file at {file}, found: {error.strerror}; correct the path") from None
    if place_name(file) != source.name or about.st_size != source.size:
        return False
    return about.st_mtime_ns == source.mtime_ns or file_hash(file) == source.sha256
