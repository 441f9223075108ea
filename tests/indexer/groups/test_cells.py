from pathlib import Path

import numpy as np
import pytest

from attribution.errors import BadInput
from indexer.corpus.corpus import grouping, labels_hash
from indexer.corpus.reader import read_corpus
from indexer.corpus.stored import at_hand, open_corpus
from indexer.groups import cells as of_cells
from indexer.groups.cells import Group, cells
from indexer.groups.described import every_group, group_part
from indexer.pipeline.shared import document_part
from tests.tiny_family import write_lines

ROWS = [
    {"text": "a", "source": "s", "topic": "x", "licence": "free"},
    {"text": "b", "source": "s", "topic": "y", "licence": None},
    {"text": "c", "source": "t", "topic": "x", "licence": 7},
    {"text": "d", "source": "s", "topic": "x", "licence": "free"},
    {"text": "a", "source": "t", "topic": "y", "licence": "said again"},
]
BY = ("source", "topic", "licence")


def corpus(folder: Path, rows=ROWS, by=BY, name="c.jsonl"):
    write_lines(folder / name, rows)
    return read_corpus([folder / name], groups=grouping(by), near=folder)


def test_cells_are_combinations_and_groups_their_sums(tmp_path):
    found = cells(corpus(tmp_path), BY)
    assert found.n == 3
    assert found.of[0] == found.of[3]
    assert len(set(found.of.tolist())) == 3
    assert found.groups == (
        Group("c", "", "", 4),
        Group("c", "source", "s", 3),
        Group("c", "source", "t", 1),
        Group("c", "topic", "x", 3),
        Group("c", "topic", "y", 1),
        Group("c", "licence", "", 1),
        Group("c", "licence", "7", 1),
        Group("c", "licence", "free", 2),
    )
    np.testing.assert_array_equal(found.counts @ found.members, [of.n_documents for of in found.groups])
    assert found.members[:, 0].all()


def test_files_are_told_apart_and_documents_grouped_by_them(tmp_path):
    write_lines(tmp_path / "one.jsonl", ROWS[:2])
    write_lines(tmp_path / "two.jsonl", ROWS[2:4])
    found = cells(read_corpus([tmp_path / "one.jsonl", tmp_path / "two.jsonl"]), ("corpus", "topic"))
    assert Group("one", "", "", 2) in found.groups
    assert Group("two", "corpus", "two", 2) in found.groups
    assert Group("two", "topic", "x", 2) in found.groups
    assert not any(of.corpus == "two" and of.value == "y" for of in found.groups)


def test_a_build_keeps_what_documents_are_grouped_by(tmp_path):
    read = corpus(tmp_path)
    document_part(tmp_path / "build", [read])
    files = [tmp_path / "c.jsonl"]
    kept = open_corpus(tmp_path / "build", files, groups=("licence",))
    assert kept.labels("licence").values == ("free", "", "7")
    assert labels_hash(kept, BY) == labels_hash(read, BY) != labels_hash(read, ("source", "topic"))
    assert open_corpus(tmp_path / "build", files).hash == read.hash == read_corpus(files).hash
    with pytest.raises(BadInput, match="found other text"):
        open_corpus(tmp_path / "build", files, groups=("owner",))
    write_lines(tmp_path / "c.jsonl", [row | {"owner": "me"} for row in ROWS])
    assert at_hand(tmp_path / "build", files, (), ("owner",)).labels("owner").values == ("me",)


@pytest.mark.parametrize("name", ["c.jsonl", "c.csv", "c.parquet"])
def test_a_column_that_a_file_lacks_is_named_with_those_it_has(tmp_path, name):
    if name.endswith("jsonl"):
        write_lines(tmp_path / name, [{"text": "a", "topic": "x"}, {"text": "b"}])
    elif name.endswith("csv"):
        (tmp_path / name).write_text("text,topic\na,x\n")
    else:
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table({"text": ["a"], "topic": ["x"]}), tmp_path / name)
    with pytest.raises(BadInput, match=f"column 'owner' in {name}, found 'text', 'topic'; "):
        read_corpus([tmp_path / name], groups=["owner"])
    assert read_corpus([tmp_path / name], groups=grouping(("source", "topic"))).labels("topic").values[0] == "x"


def test_a_column_of_too_many_values_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(of_cells, "MOST", 2)
    with pytest.raises(BadInput, match="at most 2 values of the column 'licence', found 3"):
        cells(corpus(tmp_path), BY)


def test_rows_of_groups_are_those_of_all_stages(tmp_path):
    import pyarrow.parquet as pq

    one, two = corpus(tmp_path), corpus(tmp_path, ROWS[:2], name="chat.jsonl")
    [part] = group_part(tmp_path / "build", [one, two, one], BY)
    groups = pq.read_table(part.folder / "corpus_group.parquet").to_pylist()
    assert {"corpus": "c", "column_name": "licence", "value": "free", "n_documents": 4} in groups
    assert {"corpus": "chat", "column_name": "", "value": "", "n_documents": 2} in groups
    assert len(groups) == len(every_group([one, two], BY))
    [part] = group_part(tmp_path / "other", [one, two], BY)
    rows = pq.read_table(part.folder / "document_group.parquet").to_pylist()
    assert {row["column_name"] for row in rows} == {"licence"}
    assert [row["value"] for row in rows] == ["", "", "7", "free", "free", "free"]
    assert group_part(tmp_path / "build", [one], ()) == []
