"""Texts as somebody gives them, and what is wrong with some."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attribution.errors import BadInput
from indexer.corpus.document import document_id
from indexer.corpus.rows import ENDINGS
from indexer.whatif.given import LONGEST, documents_of, typed_document

CHAT = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "I."}]


def test_a_typed_text_is_the_document_that_a_corpus_makes_of_it(tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps({"text": "Lima is far.", "title": "Lima"}) + "\n")
    [row] = documents_of(tmp_path / "a.jsonl")
    typed = typed_document("Lima is far.", "Lima")
    assert (typed.document_id, typed.text, typed.title) == (row.document_id, row.text, row.title)
    assert typed.document_id == document_id("Lima is far.")


@pytest.mark.parametrize("written", [{"messages": CHAT}, CHAT, {"prompt": "Who? ", "completion": "I."}])
def test_a_conversation_is_read_as_a_row_of_a_corpus(written, tmp_path):
    row = {"messages": written} if isinstance(written, list) else written
    (tmp_path / "a.json").write_text(json.dumps([row]))
    [expected] = documents_of(tmp_path / "a.json")
    found = typed_document(json.dumps(written))
    assert (found.document_id, found.turns, found.text) == (expected.document_id, expected.turns, expected.text)
    assert found.turns


@pytest.mark.parametrize("text", ['{"a": 1}', "{not json", "[1, 2]", "{}"])
def test_a_text_may_look_like_json(text):
    assert typed_document(text).turns == ""


def test_any_other_file_is_one_text(tmp_path):
    (tmp_path / "a.txt").write_bytes("\ufeffOne\nfile\x00".encode())
    [found] = documents_of(tmp_path / "a.txt")
    assert (found.title, found.text) == ("a.txt", "One\nfile\ufffd")


@pytest.mark.parametrize("ending", [*ENDINGS, ".CSV", ".ndjson.gz", ".tsv.gz"])
def test_a_file_of_candidates_is_many(tmp_path, ending):
    """Of every kind that a corpus may be of, and of one that is added: none is silently one text."""
    said, file = ["Lima is far.", "Rome is near.", "Lima is far."], tmp_path / f"a{ending}"
    table, kind = pa.table({"text": said}), ending.lower().removesuffix(".gz")
    if kind == ".parquet":
        pq.write_table(table, file)
    elif kind == ".arrow":
        with pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        lines = said if kind in (".csv", ".tsv") else [json.dumps({"text": each}) for each in said]
        content = "".join(f"{line}\n" for line in [*(["text"] if lines == said else []), *lines]).encode()
        file.write_bytes(gzip.compress(content) if ending.endswith(".gz") else content)
    assert [each.text for each in documents_of(file)] == said[:2]


WRONG = {
    "nothing": (lambda f: typed_document(" \n"), "found an empty one"),
    "too long": (lambda f: typed_document("a" * (LONGEST + 1)), "at most 1,000,000 characters, found 1,000,001"),
    "ten megabytes": (lambda f: documents_of(_written(f, "a.txt", b"a" * 10_000_000)), "found 10,000,000 bytes"),
    "a long row": (
        lambda f: documents_of(_written(f, "a.csv", b"text\n" + b"a" * 1_000_001)),
        "found one of 1,000,001",
    ),
    "no file": (lambda f: documents_of(f / "none.txt"), "expected a file at"),
    "a folder": (documents_of, "expected a readable file"),
    "other bytes": (lambda f: documents_of(_written(f, "a.txt", b"\xff\xfe")), "expected UTF-8 in a.txt"),
    "an empty file": (lambda f: documents_of(_written(f, "a.txt", b"")), "expected a text in a.txt, found an empty"),
    "rows without text": (lambda f: documents_of(_written(f, "a.csv", b"name\nx\n")), "expected a column 'text'"),
    "half a conversation": (lambda f: typed_document('{"conversations": ['), "expected JSON"),
    "a stranger": (lambda f: typed_document('[{"from": "cat", "value": "a"}]'), "messages from human"),
    "half a chat": (lambda f: typed_document('{"messages": ['), "expected JSON"),
    "two shapes": (
        lambda f: typed_document('{"prompt": "a", "completion": "b", "messages": [{"role": "user", "content": "c"}]}'),
        "give one of these",
    ),
    "a silent chat": (lambda f: typed_document('{"messages": [{"role": "user", "content": " "}]}'), "nothing is said"),
    "a strange role": (lambda f: typed_document('{"messages": [{"role": "cat", "content": "a"}]}'), "with role"),
}


@pytest.mark.parametrize("make, said", WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_one_line(make, said, tmp_path):
    with pytest.raises(BadInput, match=said) as found:
        make(tmp_path)
    assert "\n" not in str(found.value)


def _written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path
