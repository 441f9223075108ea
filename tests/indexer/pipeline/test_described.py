"""The tokens of all documents as rows, some documents at a time."""

from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest

from attribution.passes.batches import Row
from attribution.trained.document import TrainedText
from indexer.corpus.corpus import Lazy, as_ids
from indexer.database import shard
from indexer.database.shard import write_shard
from indexer.pipeline import described


def text(i: int) -> TrainedText:
    n = 3 + i % 4
    windows = (2, n - 2) if i % 3 == 0 else ()
    spans = tuple((2 * t, 2 * t + 3) for t in range(n))
    return TrainedText("abcdefghijklmnopq" + str(i), Row(tuple(range(n)), learned=((1, 2),), windows=windows), spans)


def member(n: int) -> SimpleNamespace:
    """Of two stages: a third of the documents stand in both."""
    numbers = np.random.default_rng(0).permutation(2 * n)[:n].astype(np.uint64)
    numbers[-n // 3 :] = numbers[: len(numbers[-n // 3 :])]
    read = Lazy(n, text)
    return SimpleNamespace(
        numbers=numbers, document_ids=as_ids(numbers), read=read, loaded=SimpleNamespace(tokenizer_hash="t")
    )


@pytest.mark.parametrize(("documents", "group"), [(1, 7), (5, 16), (256, 10_000)])
def test_tokens_are_those_of_all_documents_at_once_sorted(tmp_path, monkeypatch, documents, group):
    monkeypatch.setattr(described, "DOCUMENTS", documents)
    monkeypatch.setattr(shard, "_ROW_GROUP", group)
    of = member(40)
    described._document_tokens(tmp_path, of)
    found = pq.read_table(tmp_path / "document_token.parquet")
    rows = [row for i in range(40) for row in described._tokens(of.document_ids[i], of.read[i])]
    columns = {name: [row[i] for row in rows] for i, name in enumerate(described.TOKEN)}
    whole = pq.read_table(write_shard(tmp_path, "document_token", columns | {"tokenizer_id": ["t"] * len(rows)}, "all"))
    assert found.equals(whole)
    groups = pq.ParquetFile(tmp_path / "document_token.parquet").metadata
    sizes = [groups.row_group(i).num_rows for i in range(groups.num_row_groups)]
    assert all(size == group for size in sizes[:-1])
    assert sizes[-1] <= group


def test_long_documents_do_not_wait_for_a_whole_group(tmp_path, monkeypatch):
    monkeypatch.setattr(shard, "_HELD", 1)
    pieces = [{"document_id": [str(i)], "text": ["long " * 100]} for i in range(5)]
    path = shard.write_in_order(tmp_path, "document", iter(pieces))
    assert pq.ParquetFile(path).metadata.num_row_groups == 5
    assert pq.read_table(path)["document_id"].to_pylist() == list("01234")
    assert pq.read_table(shard.write_in_order(tmp_path, "document", iter([]))).num_rows == 0


def test_no_more_documents_than_a_piece_are_asked_for_at_once(monkeypatch):
    monkeypatch.setattr(described, "DOCUMENTS", 4)
    of, asked = member(40), []
    of.read = Lazy(40, lambda i: asked.append(i) or text(i))
    pieces = described._pieces(of)
    for n in (1, 2, 3):
        next(pieces)
        assert 4 * n <= len(asked) <= 5 * n
