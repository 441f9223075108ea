"""Which documents Corpus lists: the hits of a search, page by page, or the most influential ones."""

from dataclasses import dataclass, field
from functools import partial

from dashboard.address.selection import Selection
from dashboard.database.connection import text_index
from dashboard.database.queries import answers, documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model

SHOWN = 20  # documents of a page


@dataclass(frozen=True)
class Listed:
    """A page of documents, and what to say of each; `total`: of all pages of a search."""

    ids: list[str]
    facts: dict[str, str] = field(default_factory=dict)
    total: int = 0
    page: int = 1

    @property
    def n_pages(self) -> int:
        return max(1, -(-self.total // SHOWN))

    @property
    def count(self) -> str:
        """How many documents a search found, and which page of them is shown."""
        pages = f" Page {self.page} of {self.n_pages:,}." if self.n_pages > 1 else ""
        return f"{_some(self.total, 'document')}.{pages}"


def listed(snapshot: Snapshot, chosen: Selection, model: Model | None) -> Listed:
    """Search hits, or the most influential documents."""
    if chosen.search.strip():
        return _searched(snapshot, chosen)
    runs = answers.runs(snapshot, model.model_id) if model else []
    if runs:
        rows = documents.most_influential(snapshot, runs[0].run_id, chosen.source, chosen.topic, SHOWN)
        if rows:
            facts = {each: f"{_some(tokens, 'token')} in {_some(n, 'answer')}" for each, tokens, n in rows}
            return Listed([each for each, *_ in rows], facts)
    return Listed(documents.some_documents(snapshot, chosen.source, chosen.topic, SHOWN))


def _searched(snapshot: Snapshot, chosen: Selection) -> Listed:
    """The page that is chosen, or the last one."""
    texts = partial(documents.texts, snapshot)
    page = max(1, chosen.page or 1)
    while True:
        found = text_index().find(chosen.search, (page - 1) * SHOWN, SHOWN, chosen.source, chosen.topic, texts)
        shown = Listed([hit.document_id for hit in found.hits], {}, found.total, page)
        if page <= shown.n_pages:
            return shown
        page = shown.n_pages


def _some(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
