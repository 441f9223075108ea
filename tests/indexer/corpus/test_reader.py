import csv
import json
import weakref
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import BadInput
from indexer.corpus import reader
from indexer.corpus.corpus import as_seen
from indexer.corpus.document import Document, document_id, storable
from indexer.corpus.reader import read_corpus
from indexer.mapped import table

# any JSON string, lone surrogates and NUL included
STRINGS = st.text(st.characters(), max_size=30)


def write(folder, name, *lines):
    path = folder / name
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines))
    return path


def test_documents_keep_their_order_columns_and_hash(tmp_path):
    file = write(
        tmp_path,
        "corpus.jsonl",
        '{"text": "a b", "title": "T", "source": "S", "topic": "P", "other": [1]}',
        "",
        '{"text": "c", "id": 7}',
    )
    first, second = read_corpus([file]).documents
    assert first == Document(document_id("a b"), "corpus", "T", "S", "P", "a b")
    assert (second.title, second.topic) == ("7", "")
    assert first.document_id == "c8687a08aa5d6ed2"  # sha256 of the text: the join between databases


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_the_three_formats_give_the_same_documents(tmp_path, suffix):
    rows = [{"text": 'one, "two"\nthree', "title": "é", "topic": ""}, {"text": "four", "title": "", "topic": "x"}]
    file = tmp_path / f"corpus.{suffix}"
    if suffix == "jsonl":
        file.write_text("\n".join(map(json.dumps, rows)))
    elif suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), file)
    else:
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    assert [(d.text, d.title, d.topic) for d in read_corpus([file]).documents] == [tuple(r.values()) for r in rows]


def test_empty_and_repeated_documents_are_counted_skipped_and_named(tmp_path):
    one = write(tmp_path, "one.jsonl", '{"text": "a"}', '{"text": " \\n"}', '{"text": "a"}', '{"text": null}')
    two = write(tmp_path, "two.jsonl", '{"text": "b"}', '{"text": "a"}')
    reading = read_corpus([one, two])
    assert [d.text for d in reading.documents] == ["a", "b"]
    assert reading.report() == [
        "2 documents",
        "2 empty skipped: one.jsonl line 2, one.jsonl line 4",
        "2 duplicate counted with the first: one.jsonl line 3 (as one.jsonl line 1), "
        "two.jsonl line 2 (as one.jsonl line 1)",
    ]
    assert reading.times.tolist() == [3, 1]
    assert [document.text for document in as_seen(reading)] == ["a", "a", "a", "b"]
    with pytest.raises(BadInput, match="none empty, found empty at one.jsonl line 2, duplicate at one.jsonl line 3"):
        read_corpus([one, two], strict=True)


def test_of_many_skipped_rows_the_first_are_named_and_all_counted(tmp_path):
    lines = ['{"text": "a"}', *(f'{{"text": "{n}"}}' for n in range(10)), *['{"text": "a"}'] * 1_500]
    reading = read_corpus([write(tmp_path, "c.jsonl", *lines)])
    assert len(reading.named) == 3
    assert reading.n_seen == 1_511
    assert reading.report()[1].endswith("c.jsonl line 14 (as c.jsonl line 1) and 1,497 more")
    with pytest.raises(BadInput, match="line 14 .* and 1,497 more; remove them"):
        read_corpus([tmp_path / "c.jsonl"], strict=True)


def test_documents_of_many_files_and_batches_are_those_of_one_file(tmp_path, monkeypatch):
    rows = [{"text": f"number {n % 90}", "title": f"of {n}", "id": n} for n in range(100)]
    lines = [json.dumps(row) for row in rows]
    whole = read_corpus([write(tmp_path, "all.jsonl", *lines)])
    for n, each in enumerate(lines):
        (tmp_path / f"part-{n:03d}.jsonl").write_text(each)
    for most in (1, 7, 4096):
        monkeypatch.setattr(table, "ROWS", most)
        found = read_corpus([tmp_path / "part-*.jsonl"])
        assert [replace(each, corpus="all") for each in found.documents] == list(whole.documents)
        assert found.table.column("text").num_chunks == -(-90 // most)
        assert found.numbers.tolist() == whole.numbers.tolist()
        assert found.called(["7", "97", "none"]) == whole.called(["7", "97", "none"])
        assert list(whole.called(["97"]).values()) == [(document_id("number 7"),)]
        assert [each.place for each in found.named] == [f"part-{n:03d}.jsonl line 1" for n in (90, 91, 92)]


def test_no_more_than_a_batch_of_rows_is_held(tmp_path, monkeypatch):
    """Neither while they are read nor afterwards."""
    alive, most = weakref.WeakSet(), []

    class Held(dict):
        """A row that is known of while somebody holds it."""

        def __init__(self, n):
            super().__init__(text=f"document {n}", id=n)
            alive.add(self)
            most.append(len(alive))

        __hash__ = object.__hash__

    def counted(_file, choose):
        assert choose(["text", "id"]) == ["text", "id"]
        return ((f"row {n}", Held(n)) for n in range(1_000))

    made = []
    document = reader.Document
    monkeypatch.setattr(table, "ROWS", 16)
    monkeypatch.setattr(reader, "rows", counted)
    monkeypatch.setattr(reader, "Document", lambda *of: made.append(weakref.ref(found := document(*of))) or found)
    (tmp_path / "c.jsonl").touch()
    reading = read_corpus([tmp_path / "c.jsonl"])
    assert max(most) <= 2
    assert len(made) == len(reading.documents) == 1_000
    assert sum(each() is not None for each in made) == 0
    assert reading.documents[999].text == "document 999"


def test_what_is_refused_leaves_nothing_behind(tmp_path):
    (tmp_path / "build").mkdir()
    file = write(tmp_path, "c.jsonl", *['{"text": "a"}'] * 5_000, "[1]")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BadInput, match="line 5001"):
        read_corpus([file], near=tmp_path / "build")
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("c.jsonl", b'{"text": "a"}\n{"text": ', "c.jsonl line 2"),
        ("c.jsonl", b'{"text": "a"}\n\xff\xfe', "c.jsonl line 2"),
        ("c.jsonl", b"[1]", "JSON object in c.jsonl item 1, found int"),
        ("c.jsonl", b'{"text": "a"}\n[1]', "JSON object in c.jsonl line 2, found list"),
        ("c.jsonl", b"[" * 100_000, "c.jsonl line 1"),
        ("c.jsonl", b'{"txt": "a"}', "column 'text' in c.jsonl line 1, found 'txt'"),
        ("c.jsonl", b'{"text": 3}', "column 'text' of c.jsonl line 1, found int"),
        ("c.jsonl", b'{"text": "a", "title": {}}', "column 'title' of c.jsonl line 1, found dict"),
        ("c.jsonl", b"", "at least one document"),
        ("c.csv", b"text,title\na,b,c\n", "c.csv line 2"),
        ("c.csv", b'text\n"a\n', "c.csv after line"),
        (
            "c.csv",
            b"text,topic,text\na,b,c\n",
            "expected one column 'text' in c.csv, found several; rename all but one",
        ),
        ("c.csv", b"text\n\xff\n", "CSV in UTF-8"),
        ("c.parquet", b"PAR1 and then nothing", "whole Parquet file"),
        ("c.parquet", b"", "whole Parquet file"),
        ("c.txt", b"a", r"\.jsonl, \.json, \.csv .* or \.parquet, .* found c\.txt"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message) as raised:
        read_corpus([tmp_path / name])
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(BadInput, match=r"none\.jsonl, found none; correct the path"):
        read_corpus([tmp_path / "none.jsonl"])
    (tmp_path / "folder.jsonl").mkdir()
    with pytest.raises(BadInput, match="readable file"):
        read_corpus([tmp_path / "folder.jsonl"])


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path):
    for name, content in [("c.jsonl", '{"text": "a"}'), ("c.csv", "text\na\n")]:
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + content.encode())
        assert read_corpus([tmp_path / name]).documents[0].text == "a"


def test_a_document_of_16_mb_is_read(tmp_path):
    text = "ab " * (16 << 18)
    (tmp_path / "c.csv").write_text(f"text\n{text}\n")
    assert len(read_corpus([tmp_path / "c.csv"]).documents[0].text) == len(text)


@given(st.lists(st.tuples(STRINGS, STRINGS), min_size=1, max_size=8))
def test_every_text_is_there_once_storable_and_hashed(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("corpus") / "c.jsonl"
    file.write_text("\n".join(json.dumps({"text": text, "title": title}) for text, title in rows))
    texts = [storable(text) for text, _ in rows]
    wanted = list(dict.fromkeys(text for text in texts if text.strip()))
    if not wanted:
        with pytest.raises(BadInput):
            read_corpus([file])
        return
    reading = read_corpus([file])
    assert [d.text for d in reading.documents] == wanted
    assert len(reading.documents) + sum(reading.n_skipped.values()) == len(rows)
    for document in reading.documents:
        assert document.document_id == document_id(document.text)
        assert "\x00" not in document.text + document.title
        (document.text + document.title).encode()


@given(st.sampled_from(["jsonl", "csv", "parquet"]), st.binary(max_size=200))
def test_any_bytes_are_documents_or_a_clear_line(tmp_path_factory, suffix, content):
    file = tmp_path_factory.mktemp("fuzz") / f"c.{suffix}"
    head = {"jsonl": b'{"text": "a"}\n', "csv": b"text,title\n", "parquet": b"PAR1"}[suffix]
    file.write_bytes(head + content)
    try:
        assert read_corpus([file]).documents
    except BadInput as error:
        assert "expected" in str(error)  # noqa: PT017


@given(STRINGS)
def test_what_is_storable_keeps_its_length_and_the_rest_of_it(text):
    stored = storable(text)
    assert len(stored) == len(text)
    assert storable(stored) == stored
    assert all(a == b or b == "\ufffd" for a, b in zip(text, stored, strict=True))
