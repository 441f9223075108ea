"""Rows go to the disk some at a time and are found there one by one."""

import gc
import tempfile

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.errors import TryAgain
from indexer.mapped import table
from indexer.mapped.table import numbers, opened, unnamed, write

SCHEMA = pa.schema([("text", pa.large_string()), ("ids", pa.list_(pa.int32())), ("n", pa.int64())])
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
ROWS = st.lists(st.tuples(st.none() | TEXT, st.lists(st.integers(0, 9)), st.integers(-9, 9)), max_size=20)


def told(found):
    return [tuple(row.values()) for row in found.to_pylist()]


@given(ROWS, st.integers(1, 8), st.integers(1, 30))
def test_what_is_written_is_read_whatever_the_batches(tmp_path_factory, rows, most, size):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table, "ROWS", most)
        patch.setattr(table, "SIZE", size)
        path = tmp_path_factory.mktemp("table") / "t.arrow"
        write(path, SCHEMA, iter(rows))
        with unnamed(SCHEMA, path.parent / "not there") as file:
            for row in rows:
                file.add(row)
            found = file.table()
    gc.collect()  # the handles are gone, the rows are not
    for each in (found, opened([path])):
        assert told(each) == rows
        assert all(len(of) <= most for of in each.column("n").chunks)
        assert numbers(each.column("n")).tolist() == [row[2] for row in rows]
    assert told(opened([path, path])) == rows * 2
    assert [each.name for each in path.parent.iterdir()] == ["t.arrow"]


def test_a_view_of_one_batch_takes_no_memory(tmp_path):
    write(tmp_path / "t.arrow", SCHEMA, [("a", [1], n) for n in range(1_000)])
    before = pa.total_allocated_bytes()
    found = opened([tmp_path / "t.arrow"])
    assert numbers(found.column("n"))[999] == 999
    assert found.column("ids")[7].values.to_numpy().tolist() == [1]
    assert pa.total_allocated_bytes() - before < 1_000


def test_where_nothing_can_be_written_the_usual_place_is_taken(tmp_path, monkeypatch):
    real, asked = tempfile.TemporaryFile, []

    def refusing(dir=None):
        asked.append(dir)
        if dir is not None:
            raise PermissionError(13, "no")
        return real()

    monkeypatch.setattr(tempfile, "TemporaryFile", refusing)
    with unnamed(SCHEMA, tmp_path) as file:
        file.add(("a", [], 1))
        assert told(file.table()) == [("a", [], 1)]
    assert asked == [tmp_path, None]


def test_a_full_disk_can_be_tried_again(tmp_path):
    with pytest.raises(TryAgain, match=f"room on the disk of {tmp_path}"), unnamed(SCHEMA, tmp_path):
        raise OSError(28, "No space left on device")
