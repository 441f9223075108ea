"""Target sets of the synthetic database: two, the second against other completions; drawn scores of which curve and
groups are the sums. Documents that state a capital lead.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from indexer.corpus.document import Document
from indexer.database.tables import sets

KEPT = 12  # documents of either end that were scored exactly
SETS = {"capitals": "", "capitals-not-london": "London"}  # name -> what it is against
COLUMNS = {table: tuple(each.split()[0] for each in declared.split(",")) for table, declared in sets.TABLES.items()} | {
    "corpus_group": ("corpus", "column_name", "value", "n_documents")
}

Rows = dict[str, list[tuple[Any, ...]]]
Asked = Sequence[tuple[str, str]]  # prompt, completion


def set_texts(asked: Asked) -> Rows:
    """The prompts of every set; of the second also what it is against."""
    rows = []
    for name, against in SETS.items():
        sides = [("", [completion for _, completion in asked])]
        sides += [("against", [against] * len(asked))] if against else []
        for side, completions in sides:
            texts = zip(asked, completions, strict=True)
            rows += [(name, i, side, prompt, f" {said}") for i, ((prompt, _), said) in enumerate(texts, start=1)]
    return {"set_text": rows}


def corpus_groups(documents: Sequence[Document]) -> Rows:
    """By source, by topic, and all documents."""
    return {"corpus_group": [(*group, len(of)) for group, of in group_members(documents).items()]}


def target_sets(one: Mapping[str, Sequence[tuple[Any, ...]]], documents: Sequence[Document], n_texts: int) -> Rows:
    """Rows of one size, from its run, its layers and the norms of its documents."""
    run_id, n_layers = one["run"][0][0], len(one["layer"])
    norms = {row[1]: row[2:5] for row in one["self_influence"]}
    rng = np.random.default_rng([n_layers, len(documents)])
    rows: Rows = {}
    for name, against in SETS.items():
        parts = rng.normal(scale=0.004, size=(len(documents), n_layers)).astype(np.float32)  # [D, L]
        parts[["capital of" in each.text for each in documents]] += np.float32(0.002)
        scores = parts.sum(1, dtype=np.float64).astype(np.float32)
        estimates = (scores * rng.uniform(0.8, 1.2, len(documents))).astype(np.float32)
        order = np.argsort(-estimates, kind="stable")
        null = rng.normal(scale=0.01, size=100)
        n_scored = min(2 * KEPT, len(documents))
        n = n_texts * (1 + bool(against))
        _add(
            rows, "set_target", run_id, name, against and f"{against}.jsonl", n, 2 * n, -0.5 - 1 / n_layers,
            2.5, len(documents), n_scored, float(null.mean()), float(null.std()), null, 0.9 * null, 0.97, 0.001,
        )  # fmt: skip
        apart = n_scored < len(documents)  # else all documents are one ranking
        best = sorted(order[:KEPT] if apart else order, key=lambda i: -scores[i])
        worst = sorted(order[-KEPT:] if apart else [], key=lambda i: -scores[i])
        ranks = [*range(1, len(best) + 1), *range(len(documents) - len(worst) + 1, len(documents) + 1)]
        for rank, i in zip(ranks, [*best, *worst], strict=True):
            at = documents[i].document_id
            _add(rows, "set_influence", run_id, name, rank, at, scores[i], estimates[i], *norms[at], parts[i])
        totals = np.cumsum(estimates[order], dtype=np.float64)
        for place, (i, total) in enumerate(zip(order, totals, strict=True), start=1):
            _add(rows, "set_curve", run_id, name, place, estimates[i], float(total))
        for group, of in group_members(documents).items():
            error = 0.003 if group[1] == "topic" else None
            _add(rows, "set_group", run_id, name, *group, float(scores[of].sum(dtype=np.float64)), error)
    return rows


def group_members(documents: Sequence[Document]) -> dict[tuple[str, str, str], list[int]]:
    """(corpus, column, value) -> places of the documents."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for i, each in enumerate(documents):
        for column, value in (("", ""), ("source", each.source), ("topic", each.topic)):
            found.setdefault((each.corpus, column, value), []).append(i)
    return found


def _add(rows: Rows, table: str, *row: Any) -> None:
    rows.setdefault(table, []).append(row)
