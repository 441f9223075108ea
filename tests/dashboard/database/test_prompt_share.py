"""One share in two languages: Python and SQL say the same of the same bits."""

import duckdb
import pytest

from dashboard.database.prompt_share import MEASURED, SHARE, prompt_share
from dashboard.database.queries import answers
from indexer.database.reader import Snapshot


@pytest.mark.parametrize(
    ("nothing", "full", "share"),
    [
        *((8.0, 2.0, 0.75), (8.0, 8.0, 0.0), (8.0, 0.0, 1.0), (4.0, 5.0, 0.0), (4.0, -1.0, 1.0)),
        *((0.0, 1.0, None), (-1.0, 1.0, None), (None, 1.0, None), (4.0, None, None)),
    ],
)
def test_both_say_the_same(nothing: float | None, full: float | None, share: float | None) -> None:
    with duckdb.connect() as db:
        db.execute("CREATE TABLE token (bits_nothing DOUBLE, bits_full DOUBLE)")
        db.execute("INSERT INTO token VALUES (?, ?)", [nothing, full])
        said = db.execute(f"SELECT {SHARE} FROM token WHERE {MEASURED}").fetchall()  # noqa: S608 (constants)
    assert prompt_share(nothing, full) == share
    assert said == ([] if share is None else [(share,)])


def test_the_mean_of_an_answer_is_that_of_its_tokens(snapshot: Snapshot) -> None:
    ids = [row["generation_id"] for row in snapshot.rows("SELECT generation_id FROM generation LIMIT 5")]
    means = answers.prompt_shares(snapshot, ids)
    assert means.keys() == set(ids) and len(ids) == 5
    for generation_id, mean in means.items():
        tokens = answers.tokens(snapshot, generation_id)
        shares = [prompt_share(token.bits_nothing, token.bits_full) for token in tokens]
        known = [share for share in shares if share is not None]
        assert mean == pytest.approx(sum(known) / len(known))


def test_what_was_saved_is_what_question_and_documents_brought(snapshot: Snapshot) -> None:
    [row] = snapshot.rows("SELECT generation_id FROM generation LIMIT 1")
    known = [token for token in answers.tokens(snapshot, row["generation_id"]) if (token.bits_nothing or 0.0) > 0]
    assert known
    for token in known:
        gain = (token.bits_question or 0.0) + (token.bits_documents or 0.0)
        share = min(1.0, max(0.0, gain / token.bits_nothing))
        assert prompt_share(token.bits_nothing, token.bits_full) == pytest.approx(share, abs=1e-6)
