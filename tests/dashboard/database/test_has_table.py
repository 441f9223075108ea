"""Which tables a database has is asked once, however many a page asks about."""

import re
from pathlib import Path

import dashboard
from dashboard.database.queries.rows import has_table
from indexer.database.reader import Snapshot


def test_every_table_that_is_asked_about_is_remembered(snapshot: Snapshot, monkeypatch) -> None:
    sources = [path.read_text(encoding="utf-8") for path in Path(dashboard.__path__[0]).rglob("*.py")]
    names = sorted({name for text in sources for name in re.findall(r'has_table\(\w+, "(\w+)"\)', text)})
    assert len(names) > 15
    first = [has_table(snapshot, name) for name in names]
    monkeypatch.setattr(Snapshot, "rows", lambda *_: [])  # it would have none
    assert [has_table(snapshot, name) for name in names] == first and any(first)
