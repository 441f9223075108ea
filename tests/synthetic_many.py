"""Words, whole answers, groups and verbatim spans of the synthetic database, from the scores of all its documents.

A word's scores are the sums over its tokens and a group's the sums over its documents, exactly; of the largest size
groups are said to be estimated.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from indexer.corpus.document import Document
from tests.synthetic_reading import reading

SHORTEST, PLACES = 3, 5  # tokens of a verbatim span; places that are kept of one
GROUPED = ("source", "topic")
COLUMNS = {
    "corpus_group": ("corpus", "column_name", "value", "n_documents"),
    "group_influence": (
        "run_id", "generation_id", "position", "corpus", "column_name", "value", "score", "error",
    ),
    "span": ("generation_id", "span", "kind", "first", "last", "start", "stop"),
    "span_candidate": ("generation_id", "span", "document_id", "via", "rank", "value"),
    "span_target": (
        "run_id", "generation_id", "span", "measurement", "value", "self_influence", "n_scored", "null_mean",
        "null_std", "null_scores",
    ),
    "span_influence": (
        "run_id", "generation_id", "span", "rank", "document_id", "score", "self_influence", "grad_norm", "solve_norm",
        "layer_scores",
    ),
    "span_position": ("run_id", "generation_id", "span", "document_id", "shares", "loss_influences"),
    "verbatim": ("generation_id", "first", "last", "n_places", "n_documents"),
    "verbatim_place": ("generation_id", "first", "document_id", "token_position"),
}  # fmt: skip

Rows = dict[str, list[tuple[Any, ...]]]
Token = tuple[str, int, int]


def corpus_groups(documents: Sequence[Document]) -> Rows:
    """Rows of corpus_group: every source, every topic, and all documents."""
    return {
        "corpus_group": [
            (*group, len(members)) for group, members in _members(documents).items()
        ]
    }  # fmt: skip


def many(
    where: tuple[str, str],
    tokens: Sequence[Token],
    scores: Sequence[Any],
    documents: Sequence[Document],
    norms: Any,
    kept: int,
    split: Callable[[float, Sequence[str], Any], Any],
    estimated: bool,
) -> Rows:
    """Rows of one answer. where: run and generation; scores: of each token, [documents, layers]; kept: at either end."""
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
                shares = [split(float(total[i]), [text for text, *_ in reading(each)], rng) for _ in range(2)]
                _add(rows, "span_position", (*at, each.document_id, *shares))
    for position, of in enumerate(scores):
        for group, members in _members(documents).items():
            score = float(of[members].sum(dtype=np.float64))
            _add(rows, "group_influence", (*where, position, *group, score, 0.01 if estimated else None))
    for first, last, places in verbatim([text for text, *_ in tokens], documents):
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


def verbatim(texts: Sequence[str], documents: Sequence[Document]) -> list[tuple[int, int, list[tuple[str, int]]]]:
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


def _members(documents: Sequence[Document]) -> Mapping[tuple[str, str, str], list[int]]:
    """(corpus, column, value) -> places of the documents."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for i, each in enumerate(documents):
        for column in GROUPED:
            found.setdefault((each.corpus, column, getattr(each, column)), []).append(i)
        found.setdefault((each.corpus, "", ""), []).append(i)
    return found


def _add(rows: Rows, table: str, row: tuple[Any, ...]) -> None:
    rows.setdefault(table, []).append(row)
