"""Which training documents were learned whole: each window has one first token that no loss is of."""

from pathlib import Path

import pytest

from dashboard.database.queries import documents
from indexer.database.reader import Database
from tests.dashboard.changed import changed

LEARNED = "UPDATE document_token SET learned = token_position > 0, read_in = 0"


@pytest.mark.parametrize(
    ("changes", "whole"),
    [
        ([LEARNED], True),
        ([LEARNED, "UPDATE document_token SET learned = FALSE WHERE token_position = 2"], False),
        (
            [
                LEARNED,
                "UPDATE document_token SET read_in = 1 WHERE token_position >= 2",
                "UPDATE document_token SET learned = FALSE WHERE token_position = 2",
            ],
            True,
        ),
    ],
)
def test_what_was_learned_whole(folder: Path, tmp_path: Path, changes: list[str], whole: bool) -> None:
    snapshot = Database(changed(folder, tmp_path / "build", changes)).current()
    [row, *_] = snapshot.rows("SELECT run_id, tokenizer_id FROM run JOIN model USING (model_id)")
    found = documents.losses(snapshot, row["run_id"], row["tokenizer_id"])
    assert found and {each.whole for each in found} == {whole}
