"""Which documents Corpus lists: the hits of a search or an order of cleaning, page by page, or the most influential."""

from dataclasses import dataclass, field, replace
from functools import partial

from dashboard.address.selection import Selection
from dashboard.database.connection import text_index
from dashboard.database.queries import answers, cleaning, documents
from dashboard.database.queries.rows import Snapshot, kept
from dashboard.database.records import Model, Run, Suspect
from dashboard.drawing.numbers import percent
from dashboard.screens.corpus.suspects import target_set_of
from indexer.search.engine import Found
from indexer.search.text_index import READ, phrases_of

SHOWN = 20  # documents of a page


@dataclass(frozen=True)
class Listed:
    """A page of documents, and what to say of each; `total`: of all pages, `at_least` where there may be more.

    run_id: whose numbers they are; order: of cleaning, "" for any other list; target_set: whose harm is known; by: what
    the most influential are counted over, word or token; "" for any other list.
    """

    ids: list[str]
    facts: dict[str, str] = field(default_factory=dict)
    total: int = 0
    page: int = 1
    order: str = ""
    run_id: str = ""
    target_set: str = ""
    suspects: dict[str, Suspect] = field(default_factory=dict)
    by: str = ""
    at_least: bool = False

    @property
    def n_pages(self) -> int:
        return max(1, -(-self.total // SHOWN))

    @property
    def count(self) -> str:
        """How many documents there are, and which page of them is shown."""
        pages = f" Page {self.page} of {self.n_pages:,}." if self.n_pages > 1 else ""
        if self.at_least:
            return f"At least {_some(self.total, 'document')}: the {READ:,} best matches were read.{pages}"
        return f"{_some(self.total, 'document')}.{pages}"


def listed(snapshot: Snapshot, chosen: Selection, model: Model | None) -> Listed:
    """Search hits, or the most influential documents."""
    if chosen.search.strip():
        return _searched(snapshot, chosen)
    runs = answers.runs(snapshot, model.model_id) if model else []
    if runs and chosen.order != "helpful":
        return _ordered(snapshot, chosen, runs[0].run_id)
    if model and runs:
        found = _influential(snapshot, chosen, run_of_words(snapshot, model).run_id)
        if found.ids:
            return found
    total = documents.count_documents(snapshot, chosen.source, chosen.topic)
    page = _page(chosen, total)
    return Listed(
        documents.some_documents(snapshot, chosen.source, chosen.topic, (page - 1) * SHOWN, SHOWN), {}, total, page
    )


def run_of_words(snapshot: Snapshot, model: Model) -> Run:
    """The run that agrees best with retraining among those that explain words; where none does, of all. It has runs."""
    runs = answers.best_first(snapshot, model.model_id)
    return next((each for each in runs if documents.by_words(snapshot, each.run_id)), runs[0])


def _influential(snapshot: Snapshot, chosen: Selection, run_id: str) -> Listed:
    """The page that is chosen, or the last one, of the documents that matter most over all answers."""
    of = (run_id, chosen.source, chosen.topic)
    total = documents.count_influential(snapshot, *of)
    page = _page(chosen, total)
    rows = documents.most_influential(snapshot, *of, (page - 1) * SHOWN, SHOWN)
    by = "word" if documents.by_words(snapshot, run_id) else "token"
    facts = {}
    for each in rows:
        share = "" if each.share is None else f", {percent(each.share)} of what they carry"
        facts[each.document_id] = f"{_some(each.n_top10, by)} in {_some(each.n_top10_answers, 'answer')}{share}"
    return Listed([each.document_id for each in rows], facts, total, page, run_id=run_id, by=by)


def _page(chosen: Selection, total: int) -> int:
    return min(max(1, chosen.page or 1), max(1, -(-total // SHOWN)))


def _ordered(snapshot: Snapshot, chosen: Selection, run_id: str) -> Listed:
    """The page that is chosen, or the last one."""
    target_set = target_set_of(snapshot, run_id, chosen)
    asked = (run_id, chosen.order, target_set, chosen.source, chosen.topic)
    total = cleaning.count_ranked(snapshot, *asked)
    shown = Listed([], {}, total, max(1, chosen.page or 1), chosen.order, run_id, target_set)
    page = min(shown.page, shown.n_pages)
    ids = cleaning.ranked(snapshot, *asked, (page - 1) * SHOWN, SHOWN)
    return replace(shown, ids=ids, page=page, suspects=cleaning.suspects(snapshot, run_id, target_set, ids))


def _searched(snapshot: Snapshot, chosen: Selection) -> Listed:
    """The page that is chosen, or the last one."""
    of = (chosen.search, chosen.source, chosen.topic)
    if phrases_of(chosen.search):
        said = _saying(snapshot, *of)
        page = _page(chosen, said.total)
        ids = [hit.document_id for hit in said.hits[(page - 1) * SHOWN : page * SHOWN]]
        return Listed(ids, {}, said.total, page, at_least=said.at_least)
    page = max(1, chosen.page or 1)
    while True:
        found = text_index().find(chosen.search, (page - 1) * SHOWN, SHOWN, chosen.source, chosen.topic)
        shown = Listed([hit.document_id for hit in found.hits], {}, found.total, page)
        if page <= shown.n_pages:
            return shown
        page = shown.n_pages


@kept(4)
def _saying(snapshot: Snapshot, search: str, source: str, topic: str) -> Found:
    """All documents that say what stands in quotes: thousands are read for it, once for all pages."""
    return text_index().find(search, 0, READ, source, topic, partial(documents.texts, snapshot))


def _some(n: int, what: str) -> str:
    return f"{n:,} {what}" if n == 1 else f"{n:,} {what}s"
