import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.database.arrow import arrow_schema, columns_of
from indexer.database.schema import ORDER, REFERENCES, TABLES
from indexer.database.shard import table_of, write_shard
from indexer.database.tables.keys import KEYS, REPEATED, VOLATILE


def test_every_name_in_the_lists_beside_the_schema_is_in_the_schema():
    assert {*KEYS, "meta"} == set(TABLES)
    for table, columns in [*KEYS.items(), *ORDER.items(), *VOLATILE.items()]:
        assert set(columns) <= set(arrow_schema(table).names), table
    assert set(REPEATED) <= set(TABLES)
    for table, column, parent, parent_column in REFERENCES:
        assert column in arrow_schema(table).names
        assert KEYS[parent] == (parent_column,)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.integers(-5, 5)), min_size=1, max_size=30))
def test_rows_lie_in_the_order_in_which_they_are_read(tmp_path_factory, rows):
    runs, positions, ranks = zip(*rows, strict=True)
    folder = tmp_path_factory.mktemp("shard")
    path = write_shard(
        folder,
        "influence",
        {
            "run_id": runs,
            "generation_id": ["g"] * len(rows),
            "position": np.array(positions),
            "rank": list(ranks),
            "layer_scores": [[rank, 0.5] for rank in ranks],
        },
    )
    table = pq.read_table(path)
    assert table.schema == arrow_schema("influence")
    found = list(zip(*(table[name].to_pylist() for name in ("run_id", "position", "rank")), strict=True))
    assert found == sorted(rows)
    assert [row[0] for row in table["layer_scores"].to_pylist()] == [rank for _, _, rank in found]
    assert table["document_id"].null_count == len(rows)


def test_lists_come_from_matrices_ragged_arrays_and_nothing(tmp_path):
    for values in ([np.ones(2, np.float32), [3]], np.ones((2, 3)), [[1.0], None], [[], []]):
        path = write_shard(tmp_path, "target", {"null_scores": values}, name="x")
        found = pq.read_table(path)["null_scores"].to_pylist()
        assert found == [None if each is None else [float(v) for v in each] for each in values]
    path = write_shard(tmp_path, "relabel", {"texts": [["a"], ["b", "é"]], "token_ids": [[1], [2, 3]]})
    assert pq.read_table(path)["texts"].to_pylist() == [["a"], ["b", "é"]]


def test_no_rows_are_a_shard_too(tmp_path):
    assert pq.read_table(write_shard(tmp_path, "influence", {"run_id": [], "layer_scores": []})).num_rows == 0


def test_names_say_the_table(tmp_path):
    path = write_shard(tmp_path, "document", {"text": ["a"]}, name="part-3")
    assert (path.name, table_of(path)) == ("document.part-3.parquet", "document")


@pytest.mark.parametrize(
    ("columns", "error", "message"),
    [
        ({"texts": ["a"]}, ValueError, r"found \['texts'\]"),
        ({"text": ["a"], "title": ["a", "b"]}, ValueError, r"found lengths \[1, 2\]"),
        ({"text": [3]}, (pa.ArrowInvalid, pa.ArrowTypeError), "Expected bytes"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(tmp_path, columns, error, message):
    with pytest.raises(error, match=message):
        write_shard(tmp_path, "document", columns)
    assert list(tmp_path.iterdir()) == []


def test_a_new_column_is_seen_in_a_key(monkeypatch):
    before = columns_of("citation")
    monkeypatch.setitem(TABLES, "citation", TABLES["citation"] + ", note VARCHAR")
    assert columns_of("citation") != before == {"citation": before["citation"]}
