"""Words, whole answers, groups and verbatim spans of the synthetic database, from the scores of all its documents.

A word's scores are the sums over its tokens and a group's the sums over its documents, exactly; of the largest size
groups are said to be estimated.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.corpus.document import Document
from indexer.database.tables import groups, spans, verbatim
from indexer.tracing.spans import spans as spans_of
from tests.synthetic_reading import reading
from tests.synthetic_sets import group_members

SHORTEST, PLACES = 3, 5  # tokens of a verbatim span; places that are kept of one
COLUMNS = {
    table: tuple(each.split()[0] for each in declared.split(","))
    for subject in (spans, groups, verbatim)
    for table, declared in subject.TABLES.items()
}

Rows = dict[str, list[tuple[Any, ...]]]
Token = tuple[str, int, int]


def many(
    where: tuple[str, str],
    tokens: Sequence[Token],
    scores: Sequence[Any],
    documents: Sequence[Document],
    norms: Any,
    kept: int,
    estimated: bool,
) -> Rows:
    """Rows of one answer. where: run, generation; scores: of each token, [documents, layers]; kept: at either end."""
    rng = np.random.default_rng(len(tokens))
    rows: Rows = {}
    written = "".join(text for text, start, stop in tokens if stop > start)
    for number, each in enumerate(spans_of(written, [token[1:] for token in tokens])):
        at, first, last = (*where, number), each.first, each.last
        _add(rows, "span", (where[1], number, each.kind, first, last, each.start, each.stop))
        parts = np.sum(scores[first : last + 1], axis=0, dtype=np.float64).astype(np.float32)
        total = parts.sum(1, dtype=np.float64).astype(np.float32)
        n = len(total)
        null = rng.normal(scale=0.03 * (last - first + 1) ** 0.5, size=100).astype(np.float32)
        said = ("logp", -1.0 * (last - first + 1), 4.0, n, float(null.mean()), float(null.std()), null)
        _add(rows, "span_target", (*at, *said))
        for rank, i in enumerate(np.argsort(-total, kind="stable"), start=1):
            if kept < rank <= n - kept:
                continue
            document_id = documents[i].document_id
            _add(rows, "span_influence", (*at, rank, document_id, total[i], *norms[i], 4.0, parts[i]))
            if rank <= kept:
                _add(rows, "span_candidate", (where[1], number, document_id, "index", rank, float(total[i])))
                shares = [_split(float(total[i]), len(reading(documents[i])), rng) for _ in range(2)]
                _add(rows, "span_position", (*at, document_id, *shares))
    for position, of in enumerate(scores):
        for group, members in group_members(documents).items():
            score = float(of[members].sum(dtype=np.float64))
            _add(rows, "group_influence", (*where, position, *group, score, 0.01 if estimated else None))
    for first, last, places in copied([text for text, start, stop in tokens if stop > start], documents):
        _add(rows, "verbatim", (where[1], first, last, len(places), len({document_id for document_id, _ in places})))
        rows.setdefault("verbatim_place", []).extend((where[1], first, *place) for place in places[:PLACES])
    return rows


def copied(texts: Sequence[str], documents: Sequence[Document]) -> list[tuple[int, int, list[tuple[str, int]]]]:
    """(first, last, places) of the longest spans of an answer's tokens that stand in the documents; by brute force."""
    read = {each.document_id: [text for text, *_ in reading(each)] for each in documents}
    found: list[tuple[int, int, list[tuple[str, int]]]] = []
    for first in range(len(texts)):
        for last in range(len(texts) - 1, first + SHORTEST - 2, -1):
            if found and last <= found[-1][1]:
                break
            wanted = list(texts[first : last + 1])
            places = [
                (document_id, at)
                for document_id, of in read.items()
                for at in range(len(of) - len(wanted) + 1)
                if of[at] == wanted[0] and of[at : at + len(wanted)] == wanted
            ]
            if places:
                found.append((first, last, places))
                break
    return found


def _split(total: float, n: int, rng: Any) -> Any:
    """[n] that add up to the total."""
    values = rng.normal(scale=abs(total) / n + 1e-4, size=n)
    return (values + (total - values.sum()) / n).astype(np.float32)


def _add(rows: Rows, table: str, row: tuple[Any, ...]) -> None:
    rows.setdefault(table, []).append(row)
