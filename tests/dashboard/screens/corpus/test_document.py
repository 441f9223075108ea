"""A document's page says how training read it, where that is not as usual."""

import pytest

from dashboard.database.queries import documents
from dashboard.database.records import AsTrained
from dashboard.screens.corpus.document import _as_trained
from indexer.database.reader import Snapshot
from tests.synthetic_database import TOKENIZER


@pytest.mark.parametrize(
    ("read", "said"),
    [
        (None, ""),
        (AsTrained(12, 11, 1), ""),
        (AsTrained(80, 25, 1), "Training asked for 25 of its 80 tokens, the others were read only."),
        (AsTrained(40, 37, 3), "It was read in 3 windows, each alone; its influence is the sum over them."),
    ],
)
def test_only_what_is_not_as_usual_is_said(read: AsTrained | None, said: str) -> None:
    assert _as_trained(read) == said


def test_how_a_document_was_read_is_counted_from_its_tokens(snapshot: Snapshot) -> None:
    [document_id] = documents.some_documents(snapshot, "", "", 0, 1)
    n = len(documents.document_tokens(snapshot, TOKENIZER, [document_id])[document_id])
    assert documents.as_trained(snapshot, TOKENIZER, document_id) == AsTrained(n, n - 1, 1)
    assert documents.as_trained(snapshot, "another", document_id) is None
