"""What a build keeps of the documents, plain and structured, and when what it keeps still stands."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from attribution.errors import BadInput
from indexer.corpus.document import Document
from indexer.corpus.reader import CorpusReading, read_corpus
from indexer.corpus.stored import open_corpus
from indexer.pipeline.shared import document_part

SAID = [{"role": "user", "content": "Peru?"}, {"role": "assistant", "content": "Lima."}]
PLAIN = [{"text": "The capital of Peru is Lima.", "title": "Peru"}, {"text": "é"}]


def write(folder: Path, *rows) -> Path:
    file = folder / "c.jsonl"
    file.write_text("".join(json.dumps(each) + "\n" for each in rows))
    return file


def test_input_13_what_a_document_is_made_of_is_kept(tmp_path):
    file = write(tmp_path, *PLAIN, {"messages": SAID, "topic": "capital"})
    reading = read_corpus([file])
    document_part(tmp_path / "build", [reading])
    stored = open_corpus(tmp_path / "build", [file])
    assert tuple(stored.documents) == reading.documents
    assert stored.hash == reading.hash
    assert stored.documents[2].turns == reading.documents[2].turns != ""


def test_a_plain_corpus_is_kept_and_known_as_before_there_were_others(tmp_path):
    file = write(tmp_path, *PLAIN)
    reading = read_corpus([file])
    assert reading.hash == "7f909d0bcae4ec42"  # as the commit before gave it
    part = document_part(tmp_path / "build", [reading])
    assert part.key == "e90ab22f48202d30"  # the same
    with pa.memory_map(str(part.folder / "corpus-0.arrow")) as mapped:
        assert pa.ipc.open_file(mapped).schema.names == [
            *("document_id", "corpus", "title", "source", "topic", "text", "number")
        ]
    assert tuple(open_corpus(tmp_path / "build", [file]).documents) == reading.documents


def test_another_structure_is_another_corpus():
    def of(turns: str) -> CorpusReading:
        return CorpusReading((Document("0" * 16, "c", "", "", "", "the same text", turns),), ())

    assert len({of(turns).hash for turns in ("", "1", "2")}) == 3


def test_input_16_other_columns_of_the_same_files_are_not_what_was_built(tmp_path):
    file = write(tmp_path, {"text": "a", "content": "b"})
    for text, said in [((), "a"), (("content",), "b"), (("text",), "a"), ((), "a")]:
        if text != ():
            with pytest.raises(BadInput, match="found other text; run `python -m indexer build`"):
                open_corpus(tmp_path / "build", [file], text)
        document_part(tmp_path / "build", [read_corpus([file], text)])
        assert open_corpus(tmp_path / "build", [file], text).documents[0].text == said


def test_input_16_a_file_more_for_a_pattern_is_not_what_was_built(tmp_path):
    write(tmp_path, *PLAIN)
    files = [tmp_path / "*.jsonl"]
    document_part(tmp_path / "build", [read_corpus(files)])
    assert len(open_corpus(tmp_path / "build", files).documents) == 2
    (tmp_path / "d.jsonl").write_text('{"text": "one more"}\n')
    with pytest.raises(BadInput, match="found other text; run"):
        open_corpus(tmp_path / "build", files)
