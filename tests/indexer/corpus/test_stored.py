"""What a build keeps of the documents, plain and structured, and when what it keeps still stands."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attribution.errors import BadInput
from indexer.corpus.reader import read_corpus
from indexer.corpus.stored import at_hand, open_corpus
from indexer.mapped import table
from indexer.pipeline import shared
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
    assert list(stored.documents) == list(reading.documents)
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
    assert list(open_corpus(tmp_path / "build", [file]).documents) == list(reading.documents)


def test_another_structure_is_another_corpus(tmp_path):
    said = "user: Peru?\nassistant: Lima."
    found = [
        read_corpus([write(tmp_path, row)])
        for row in (
            {"text": said},
            {"messages": SAID},
            {"messages": [SAID[0], SAID[1] | {"name": "A"}]},
        )
    ]
    assert {each.documents[0].text for each in found} == {said}
    assert len({each.hash for each in found}) == 3


def test_a_corpus_of_many_batches_is_kept_as_it_was_read(tmp_path, monkeypatch):
    monkeypatch.setattr(table, "ROWS", 3)
    monkeypatch.setattr(shared, "DOCUMENTS", 4)
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir(), second.mkdir()
    pretrained = write(first, *({"text": f"number {n}", "title": "first"} for n in range(20)))
    tuned = write(second, *({"text": f"number {n}", "title": "second"} for n in range(15, 30)))
    readings = [read_corpus([file]) for file in (pretrained, tuned)]
    part = document_part(tmp_path / "build", readings)
    for file, reading in zip((pretrained, tuned), readings, strict=True):
        found = open_corpus(tmp_path / "build", [file])
        assert list(found.documents) == list(reading.documents)
        assert found.numbers.tolist() == reading.numbers.tolist()
        assert at_hand(tmp_path / "build", [file]).table.equals(found.table)
    once = {each.document_id: each for reading in readings for each in reading.documents}
    assert list(shared.every_document(readings)) == list(once.values())
    rows = pq.read_table(part.folder / "document.parquet").to_pylist()
    assert [row["document_id"] for row in rows] == sorted(once)
    assert {row["document_id"]: row["title"] for row in rows} == {key: each.title for key, each in once.items()}
    assert {row["turns"] for row in rows} == {None}


def test_what_no_build_has_is_read_from_the_files(tmp_path):
    file = write(tmp_path, *PLAIN)
    assert list(at_hand(tmp_path / "none", [file]).documents) == list(read_corpus([file]).documents)
    with pytest.raises(BadInput, match="correct the path"):
        at_hand(tmp_path / "none", [tmp_path / "none.jsonl"])


def test_input_16_other_columns_of_the_same_files_are_not_what_was_built(tmp_path):
    file = write(tmp_path, {"text": "a", "content": "b"})
    for text, said in [((), "a"), (("content",), "b"), (("text",), "a"), ((), "a")]:
        if text != ():
            with pytest.raises(BadInput, match="found other text; run `whence build`"):
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
