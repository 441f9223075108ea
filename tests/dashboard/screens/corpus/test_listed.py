"""What stands in quotes is looked for once for all its pages, and how many say it is never said too surely."""

from types import SimpleNamespace

import pytest

from dashboard.address.selection import Selection
from dashboard.database.queries.rows import Snapshot
from dashboard.screens.corpus import listed
from indexer.search.engine import Found, Hit
from indexer.search.text_index import READ

HITS = [Hit(f"{i:016x}", 1.0) for i in range(50)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """First and number of the hits that the index is asked for; it always finds HITS, and may have left some out."""
    found = []

    def find(search: str, first: int, k: int, *_: object) -> Found:
        found.append((first, k))
        return Found(HITS[first : first + k], len(HITS), '"' in search)

    monkeypatch.setattr(listed, "text_index", lambda: SimpleNamespace(find=find))
    return found


def test_a_phrase_is_looked_for_once_for_all_pages(snapshot: Snapshot, asked: list[tuple[int, int]]) -> None:
    pages = [listed.listed(snapshot, Selection(search='"of the"', page=page), None) for page in (1, 2, 3, 9)]
    assert asked == [(0, READ)]
    assert [each for page in pages[:3] for each in page.ids] == [hit.document_id for hit in HITS]
    assert pages[3] == pages[2]
    assert pages[0].count == "At least 50 documents: the 5,000 best matches were read. Page 1 of 3."
    listed.listed(snapshot, Selection(search='"of the"', source="s"), None)
    assert len(asked) == 2


def test_of_words_one_page_is_asked_for(snapshot: Snapshot, asked: list[tuple[int, int]]) -> None:
    page = listed.listed(snapshot, Selection(search="of the", page=2), None)
    assert asked == [(20, 20)]
    assert page.count == "50 documents. Page 2 of 3."
