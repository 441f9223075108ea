"""EDGE: lexical search over the documents (BM25), rebuilt from them whenever it is not exactly ours.

Opening an index of Whoosh unpickles parts of it, so one from elsewhere is code: every file's hash is compared with the
journal before one is opened, whoever made it. No query language is ever used: a text is analysed into terms, and they
are ORed; what stands in quotes must be there in this order, word for word. The index knows words by their stems only,
so the documents that it finds for a phrase are read again.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from attribution.errors import BadInput, Damaged
from indexer import __version__
from indexer.config.installed import installed
from indexer.config.text_engine import TANTIVY, WHOOSH
from indexer.corpus.document import Document
from indexer.journal.files import folder_hashes
from indexer.journal.stages import finished, key
from indexer.search.engine import Found, Hit, Opened, Sought, engine_of
from indexer.search.words import ANALYSIS, LONGEST, Word, phrase, says, words

MAX_TERMS = 64  # of a query, the first ones
MAX_QUERY = 20_000  # characters of a query that are looked at
MAX_HIGHLIGHTED = 200_000  # characters of a text that are looked at for highlights
ANALYSED = "ANALYSIS"  # a file beside the index: which words are in it, and who keeps them unless it is Whoosh
READ = 5_000  # documents, the best, of those that hold a phrase by its stems: which say it word for word is read
_READ_AT_ONCE = 1000  # documents whose texts are held
_QUOTED = re.compile(r'"([^"]*)"|“([^”]*)”')


Said = Callable[[Sequence[str]], Mapping[str, Sequence[str]]]  # document ids -> what each says: its title, its text


def write_text_index(documents: Iterable[Document], folder: Path, engine: str = WHOOSH) -> None:
    """Index title and text of every document, and what may be filtered by. Call it in `compute` of the stage "text".

    engine: of `indexer.search.engine`. Raises BadInput where it is not installed.
    """
    engine_of(engine).write(documents, folder)
    (folder / ANALYSED).write_text(_kind(engine))


def index_key(engine: str, **documents: Any) -> str:
    """The key of an index over these documents: its words, and the version of what keeps them."""
    by = {} if engine == WHOOSH else {"engine": f"{engine} {installed(engine)}"}
    return key(**documents, whence=__version__, analysis=ANALYSIS, **by)


def _kind(engine: str) -> str:
    return f"{ANALYSIS}\n" if engine == WHOOSH else f"{ANALYSIS} {engine}\n"


def open_text_index(folder: Path) -> "TextIndex":
    """The index that an output folder's journal lists last; BadInput when there is none, Damaged when it changed."""
    found = finished(folder, "text")
    if not found:
        raise BadInput(f"expected a text index in {folder}, found none; run `whence build CONFIG`")
    return TextIndex.open(found[-1].folder, found[-1].files)


class TextIndex:
    """An open index, which threads may share."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened

    @classmethod
    def open(cls, folder: Path, files: Mapping[str, str]) -> "TextIndex":
        """`files`: name -> sha256 of each file there may be. Raises Damaged, with nothing opened, for any other, and
        BadInput for an index of other words than this version looks for, or of an engine that is not installed."""
        found = folder_hashes(folder)
        strange = sorted(name for name in {*found, *files} if found.get(name) != files.get(name))
        if strange or not found:
            what = ", ".join(strange) or "no file"
            raise Damaged(f"expected the text index in {folder} as it was written, found changed: {what}; build again")
        kind = (folder / ANALYSED).read_text() if ANALYSED in files else ""
        engine = next((name for name in (WHOOSH, TANTIVY) if kind == _kind(name)), "")
        if not engine:
            raise BadInput(
                f"expected a text index of this version in {folder}, found another; run `whence build CONFIG`"
            )
        return cls(engine_of(engine).opened(folder))

    def search(self, text: str, k: int = 10) -> list[Hit]:
        """The k best documents for the words of a text, best first; [] when it has none of them. No text is an error.

        Where the words stand in more documents together than a query may read, the rarer ones are searched.
        """
        sought = Sought(self._affordable(query_terms(text)))
        return self._opened.best(sought, 0, k, counted=False).hits if sought.words and k > 0 else []

    def find(
        self, text: str, first: int = 0, k: int = 20, source: str = "", topic: str = "", texts: Said | None = None
    ) -> Found:
        """The same for what a reader types, from hit number `first` on, among the documents of a source and a topic
        ("" for all): what stands in quotes must be there as a phrase, word for word but for case and accents.

        texts: where the documents that hold a phrase by its stems are read, the best `READ` of them, some thousand
        short ones a second; without it the stems decide.
        """
        quoted = phrases_of(text)
        phrases = [phrase(each)[:MAX_TERMS] for each in quoted]
        filters = {name: value for name, value in (("source", source), ("topic", topic)) if value}
        sought = Sought(self._affordable(query_terms(text)), phrases, filters)
        if not sought.words:
            return Found([], 0)
        if texts is None or not quoted:
            return self._opened.best(sought, first, k, counted=True)
        best = self._opened.best(sought, 0, READ, counted=True)
        kept = _saying(best.hits, quoted, texts)
        return Found(kept[first : first + k], len(kept), best.total > len(best.hits))

    def _affordable(self, words: list[str]) -> list[str]:
        """The words that any document holds, the rarest first, as far as their postings fit the limit; one at least."""
        costs = {word: self._opened.frequency(word) for word in words}
        known = sorted((word for word in words if costs[word]), key=lambda word: costs[word])
        spent = list(accumulate(costs[word] for word in known))
        most = self._opened.most_postings
        return [word for word, total in zip(known, spent, strict=True) if total <= most] or known[:1]

    def close(self) -> None:
        self._opened.close()


def _saying(hits: Sequence[Hit], quoted: Sequence[str], texts: Said) -> list[Hit]:
    """Those whose title or text has every phrase."""
    found = []
    for start in range(0, len(hits), _READ_AT_ONCE):
        some = hits[start : start + _READ_AT_ONCE]
        read = texts([hit.document_id for hit in some])
        found += [
            hit
            for hit in some
            if all(any(says(part, each) for part in read.get(hit.document_id, ())) for each in quoted)
        ]
    return found


def phrases_of(text: str) -> list[str]:
    """What stands in quotes, as far as it has words."""
    said = [a or b for a, b in _QUOTED.findall(text[:MAX_QUERY])]
    return [each for each in said if phrase(each)]


def query_terms(text: str) -> list[str]:
    """The distinct terms that a text is searched by, in their order: at most MAX_TERMS of at most LONGEST."""
    terms = (word.term for word in words(text[:MAX_QUERY], of_query=True) if len(word.term) <= LONGEST)
    return list(dict.fromkeys(terms))[:MAX_TERMS]


def highlights(text: str, query: str) -> list[tuple[int, int]]:
    """Characters [start, stop) of `text` whose word is one of the query's terms, in order and apart; no index is
    needed."""
    wanted = set(query_terms(query))
    found = (word for word in words(text[:MAX_HIGHLIGHTED]) if word.term in wanted) if wanted else ()
    return _joined(found)


def _joined(found: Iterable[Word]) -> list[tuple[int, int]]:
    """Pairs of signs overlap, and the parts of a word lie in it."""
    spans: list[tuple[int, int]] = []
    for word in sorted(found, key=lambda each: each.start):
        if spans and word.start < spans[-1][1]:
            spans[-1] = spans[-1][0], max(spans[-1][1], word.stop)
        else:
            spans.append((word.start, word.stop))
    return spans
