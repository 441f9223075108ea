"""EDGE: which groups there are, and which documents belong to those that `document` cannot tell."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.corpus.corpus import Corpus, grouping, labels_hash
from indexer.database.shard import Columns, write_in_order, write_shard
from indexer.groups.cells import Group, cells
from indexer.groups.rows import corpus_group_columns
from indexer.journal.part import Partition
from indexer.journal.stages import Finished, key, stage

DOCUMENTS = 65536  # rows that are in memory at once


def group_part(folder: Path, corpora: Sequence[Corpus], by: Sequence[str]) -> list[Finished]:
    """Shards of `corpus_group` and `document_group`, of all stages of training together; none without columns."""
    if not by:
        return []

    def compute(part: Partition) -> None:
        write_shard(part.folder, "corpus_group", corpus_group_columns(every_group(corpora, by)))
        write_in_order(part.folder, "document_group", _pieces(corpora, grouping(by)))

    of = [[corpus.hash, labels_hash(corpus, ["corpus", *by])] for corpus in corpora]
    return stage(folder, "groups", key(of=of, by=list(by)), ["all"], compute)


def every_group(corpora: Sequence[Corpus], by: Sequence[str]) -> list[Group]:
    """Those of all corpora, each once; raises BadInput for a column of too many values."""
    found: dict[tuple[str, str, str], Group] = {}
    for of in (group for corpus in corpora for group in cells(corpus, by).groups):
        place = of.corpus, of.column, of.value
        n = of.n_documents + (found[place].n_documents if place in found else 0)
        found[place] = replace(of, n_documents=n)
    return [found[place] for place in sorted(found)]


def _pieces(corpora: Sequence[Corpus], columns: Sequence[str]) -> Iterator[Columns]:
    """In the order of column, value and document."""
    numbers = np.concatenate([corpus.numbers for corpus in corpora])
    files = np.concatenate([_texts(corpus, "corpus") for corpus in corpora])
    for column in sorted(columns):
        values = np.concatenate([_texts(corpus, column) for corpus in corpora])
        order = np.lexsort((numbers, values))
        for start in range(0, len(order), DOCUMENTS):
            at = order[start : start + DOCUMENTS]
            yield {
                "corpus": files[at].tolist(),
                "column_name": [column] * len(at),
                "value": values[at].tolist(),
                "document_id": [f"{number:016x}" for number in numbers[at].tolist()],
            }


def _texts(corpus: Corpus, column: str) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    of = corpus.labels(column)
    found = np.empty(len(of.values), dtype=object)
    found[:] = of.values
    return found[of.of]
