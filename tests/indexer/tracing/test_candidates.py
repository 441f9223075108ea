"""What several sources propose, together."""

import numpy as np

from indexer.tracing.candidates import Candidates, Proposal, best, candidate_rows


def proposal(via: str, documents: list[int], position: int | None = None) -> Proposal:
    values = np.linspace(1, 0, len(documents), dtype=np.float32)
    return Proposal(via, np.array(documents, dtype=np.int64), values, position)


FOUND = Candidates("g", (proposal("bm25", [4, 2]), proposal("index", [2, 7], position=1), proposal("random", [0, 9])))


def test_documents_stand_once_in_corpus_order_and_at_their_position_only():
    assert FOUND.documents.tolist() == [0, 2, 4, 7, 9]
    assert FOUND.documents_of(0).tolist() == [0, 2, 4, 9]
    assert FOUND.documents_of(1).tolist() == [0, 2, 4, 7, 9]


def test_every_source_of_a_document_is_named():
    assert FOUND.via(1) == {4: {"bm25"}, 2: {"bm25", "index"}, 7: {"index"}, 0: {"random"}, 9: {"random"}}
    assert FOUND.via(0) == {4: {"bm25"}, 2: {"bm25"}, 0: {"random"}, 9: {"random"}}
    assert FOUND.random.tolist() == [0, 9]


def test_the_digest_is_of_what_is_proposed():
    same = Candidates("other", FOUND.proposals)
    fewer = Candidates("g", FOUND.proposals[:2])
    assert FOUND.digest == same.digest != fewer.digest


def test_rows_carry_the_rank_within_their_source():
    rows = candidate_rows([FOUND], [f"d{i}" for i in range(10)])
    assert rows["document_id"] == ["d4", "d2", "d2", "d7", "d0", "d9"]
    assert rows["rank"] == [1, 2, 1, 2, 1, 2]
    assert rows["position"] == [None, None, 1, 1, None, None]


def test_the_best_are_the_largest_in_order_and_nothing_unknown():
    values = np.array([1, np.nan, 3, 3, -2], dtype=np.float32)
    assert best(values, 3).tolist() == [2, 3, 0]
    assert best(-values, 2).tolist() == [4, 0]
    assert best(values, 9).tolist() == [2, 3, 0, 4]
    assert best(values[1:2], 1).tolist() == best(values, 0).tolist() == []
