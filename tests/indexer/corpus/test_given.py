"""Saved datasets, patterns, compressed and other files are the documents that they hold."""

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from attribution.errors import BadInput
from indexer.corpus.given import found_files
from indexer.corpus.reader import read_corpus

ROWS = [{"text": "one", "id": "a"}, {"text": "two; three,\n\tfour", "id": "b"}, {"text": "five", "id": "c"}]
LINES = "".join(json.dumps(each) + "\n" for each in ROWS)


def texts(*files: Path, text=()) -> list[str]:
    return [each.text for each in read_corpus(files, text).documents]


def save_to_disk(folder: Path, rows, n_shards: int = 1) -> None:
    """As datasets 4 writes it: Arrow's stream format, listed in state.json."""
    folder.mkdir(parents=True)
    names = [f"data-{i:05}-of-{n_shards:05}.arrow" for i in range(n_shards)]
    for i, name in enumerate(names):
        table = pa.Table.from_pylist(rows[i::n_shards])
        with pa.OSFile(str(folder / name), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table, max_chunksize=1)
    state = {"_data_files": [{"filename": name} for name in names], "_fingerprint": "1", "_split": None}
    (folder / "state.json").write_text(json.dumps(state))
    (folder / "dataset_info.json").write_text("{}")


@pytest.mark.parametrize("name", ["c.jsonl", "c.json", "c.ndjson", "C.JSONL"])
@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("how", ["lines", "array", "pretty array", "pretty objects"])
def test_input_16_json_in_every_form(tmp_path, name, zipped, how):
    content = {
        "lines": LINES,
        "array": json.dumps(ROWS),
        "pretty array": "\n" + json.dumps(ROWS, indent=2) + "\n",
        "pretty objects": "\n".join(json.dumps(each, indent=2) for each in ROWS),
    }[how].encode()
    file = tmp_path / (name + ".gz" if zipped else name)
    file.write_bytes(gzip.compress(content) if zipped else content)
    reading = read_corpus([file])
    assert [each.text for each in reading.documents] == [each["text"] for each in ROWS]
    assert {each.corpus for each in reading.documents} == {name.split(".")[0]}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_input_16_csv_with_the_separator_of_its_header(tmp_path, separator):
    # the data holds more of the other separators than of its own: only the header says which it is
    data = f'"a;b;c,d,e,f\t\t\t\t"{separator}x\n"second"{separator}y\n'
    (tmp_path / "c.csv").write_text(f"text{separator}title\n{data}")
    found = read_corpus([tmp_path / "c.csv"]).documents
    assert [(each.text, each.title) for each in found] == [("a;b;c,d,e,f\t\t\t\t", "x"), ("second", "y")]
    with gzip.open(tmp_path / "c.tsv.gz", "wt") as stream:
        stream.write(f'"the, title"{separator}text\nx{separator}"a;b"\n')
    assert texts(tmp_path / "c.tsv.gz") == ["a;b"]


def test_input_16_a_row_with_more_fields_says_what_to_quote(tmp_path):
    (tmp_path / "c.csv").write_text("text;title\na;b;c\n")
    with pytest.raises(BadInput, match=r"expected 2 fields in c\.csv line 2, found more; quote semicolons"):
        texts(tmp_path / "c.csv")


def test_input_16_a_pattern_in_the_order_of_names(tmp_path):
    folder = tmp_path / "data [1]"
    (folder / "deep").mkdir(parents=True)
    for name, text in [("b.parquet", "second"), ("a.parquet", "first"), ("deep/c.parquet", "third")]:
        pq.write_table(pa.table({"text": [text]}), folder / name)
    assert texts(folder / "*.parquet") == ["first", "second"]
    assert texts(folder / "**" / "*.parquet") == ["first", "second", "third"]
    assert found_files([folder / "[a].parquet"]) == (folder / "a.parquet",)
    with pytest.raises(BadInput, match=r"a file that matches .*\*\.csv, found none; correct the pattern"):
        texts(folder / "*.csv")


@pytest.mark.parametrize("n_shards", [1, 2])
def test_input_16_a_folder_of_save_to_disk(tmp_path, n_shards):
    save_to_disk(tmp_path / "facts", ROWS, n_shards)
    reading = read_corpus([tmp_path / "facts"])
    wanted = [each["text"] for i in range(n_shards) for each in ROWS[i::n_shards]]
    assert [each.text for each in reading.documents] == wanted
    assert {each.corpus for each in reading.documents} == {"facts"}
    assert len(reading.sources) == n_shards


def test_input_16_a_saved_dataset_of_splits_asks_which(tmp_path):
    save_to_disk(tmp_path / "facts" / "train", ROWS)
    (tmp_path / "facts" / "dataset_dict.json").write_text('{"splits": ["train"]}')
    assert len(texts(tmp_path / "facts")) == 3
    (tmp_path / "facts" / "dataset_dict.json").write_text('{"splits": ["train", "test"]}')
    with pytest.raises(BadInput, match='found train, test; name one: files = \\["facts/train"\\]'):
        texts(tmp_path / "facts")
    assert {each.corpus for each in read_corpus([tmp_path / "facts" / "train"]).documents} == {"facts/train"}


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ('{"_data_files": [{"filename": "../other.arrow"}]}', "expected names of files"),
        ('{"_data_files": []}', "expected files listed"),
        ("{", "expected JSON in"),
        ('{"_data_files": [{"filename": "absent.arrow"}]}', "found none; correct the path"),
        ('{"_data_files": [{"filename": "torn.arrow"}]}', "whole Arrow file"),
    ],
)
def test_input_16_a_saved_dataset_that_is_none_is_one_line(tmp_path, state, message):
    (tmp_path / "torn.arrow").write_bytes(b"\xff\xff\xff\xff")
    (tmp_path / "state.json").write_text(state)
    with pytest.raises(BadInput, match=message) as raised:
        texts(tmp_path)
    assert "\n" not in str(raised.value)


def test_input_16_a_torn_gzip_is_one_line(tmp_path):
    whole = gzip.compress(LINES.encode() * 100)
    for content in (whole[: len(whole) // 2], b"no gzip", whole[:20] + b"\0\0\0\0" + whole[24:]):
        (tmp_path / "c.jsonl.gz").write_bytes(content)
        with pytest.raises(BadInput, match="whole gzip file|expected .*JSON"):
            texts(tmp_path / "c.jsonl.gz")


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet", "arrow"])
def test_input_16_any_column_by_its_name(tmp_path, suffix):
    file, table = tmp_path / f"c.{suffix}", pa.table({"content": ["one", "two"], "title": ["x", "y"]})
    if suffix == "parquet":
        pq.write_table(table, file)
    elif suffix == "arrow":
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    elif suffix == "csv":
        file.write_text("content,title\none,x\ntwo,y\n")
    else:
        file.write_text("".join(json.dumps(each) + "\n" for each in table.to_pylist()))
    assert texts(file, text=("content",)) == ["one", "two"]
    assert texts(file, text=("body", "content")) == ["one", "two"]
    with pytest.raises(BadInput, match=r"column 'body' in .*, found 'content', 'title'; name the column") as raised:
        texts(file, text=("body",))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("suffix", ["parquet", "arrow", "json"])
def test_input_16_a_large_file_is_read_a_batch_at_a_time(tmp_path, suffix):
    """20 MB of rows, each let go before the next batch: what Python holds meanwhile is a fraction of it."""
    import tracemalloc

    from indexer.corpus.rows import rows

    n, text = 20_000, "word " * 200
    table = pa.table({"text": [f"{i} {text}" for i in range(n)]})
    file = tmp_path / f"c.{suffix}"
    if suffix == "parquet":
        pq.write_table(table, file, row_group_size=n)
    elif suffix == "arrow":
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
    else:
        file.write_text(json.dumps(table.to_pylist()))
    del table
    tracemalloc.start()
    seen = sum(1 for _ in rows(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seen == n
    assert peak < 5e6
