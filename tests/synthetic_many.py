"""Words, whole answers, groups and verbatim spans of the synthetic database, from the scores of all its documents.

A word's scores are the sums over its tokens and a group's the sums over its documents, exactly; of the largest size
groups are said to be estimated.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from indexer.corpus.document import Document
from indexer.database.tables import groups, spans, verbatim
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
    for number, (kind, first, last) in enumerate(spans_of(tokens)):
        at = (*where, number)
        start = tokens[first][1] + len(tokens[first][0]) - len(tokens[first][0].lstrip())
        _add(rows, "span", (where[1], number, kind, first, last, start, tokens[last][2]))
        parts = np.sum(scores[first : last + 1], axis=0, dtype=np.float64).astype(np.float32)
        total = parts.sum(1, dtype=np.float64).astype(np.float32)
        n = len(total)
        null = rng.normal(scale=0.03 * (last - first + 1) ** 0.5, size=100).astype(np.float32)
        said = ("logp", -1.0 * (last - first + 1), 4.0, n, float(null.mean()), float(null.std()), null)
        _add(rows, "span_target", (*at, *said))
        for rank, i in enumerate(np.argsort(-total, kind="stable"), start=1):
            if kept < rank <= n - kept:
                continue
            each = documents[i]
            _add(rows, "span_influence", (*at, rank, each.document_id, total[i], *norms[i], parts[i]))
            if rank <= kept:
                _add(rows, "span_candidate", (where[1], number, each.document_id, "index", rank, float(total[i])))
                shares = [_split(float(total[i]), len(reading(each)), rng) for _ in range(2)]
                _add(rows, "span_position", (*at, each.document_id, *shares))
    for position, of in enumerate(scores):
        for group, members in group_members(documents).items():
            score = float(of[members].sum(dtype=np.float64))
            _add(rows, "group_influence", (*where, position, *group, score, 0.01 if estimated else None))
    for first, last, places in copied([text for text, *_ in tokens], documents):
        _add(rows, "verbatim", (where[1], first, last, len(places), len({document_id for document_id, _ in places})))
        rows.setdefault("verbatim_place", []).extend((where[1], first, *place) for place in places[:PLACES])
    return rows


def spans_of(tokens: Sequence[Token]) -> list[tuple[str, int, int]]:
    """(kind, first, last): the words, of tokens that go on without a blank, then the whole answer."""
    found: list[tuple[str, int, int]] = []
    for i, (text, start, stop) in enumerate(tokens):
        if stop <= start or not text.strip().isalnum():
            continue
        if found and found[-1][2] == i - 1 and not text[0].isspace():
            found[-1] = ("word", found[-1][1], i)
        else:
            found.append(("word", i, i))
    return [*found, ("answer", 0, len(tokens) - 1)]


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
