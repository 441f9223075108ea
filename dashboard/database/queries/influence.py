"""What made the tokens of an answer: kept scores, their layers, their heat, the random documents to compare with."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboard.database.queries.answers import RUNS
from dashboard.database.queries.documents import document_tokens
from dashboard.database.queries.rows import (
    Snapshot,
    among,
    has_column,
    has_table,
    kept,
    kept_scores_of,
    numbers,
    of_the_query,
    record,
    summed_layers,
    total_heat,
)
from dashboard.database.records import Best, Heat, KeptScores, Layer, Relabelling, Target
from dashboard.database.unit import Calibration


@kept(16)
def targets(snapshot: Snapshot, run_id: str, generation_id: str) -> dict[int, Target]:
    """position -> target of this run."""
    sql = "SELECT * FROM target WHERE run_id = ? AND generation_id = ? ORDER BY position"
    found = {}
    for row in snapshot.rows(sql, [run_id, generation_id]):
        row["null_scores"] = np.asarray(row["null_scores"] or (), dtype=np.float64)
        found[row["position"]] = record(Target, numbers(row, "value", "self_influence"))
    return found


@kept(32)
def calibration(snapshot: Snapshot, run_id: str) -> Calibration | None:
    """What one predicted nat is worth, of the run's method on its model at its damping; None where no retraining has
    measured it."""
    if not run_id or not has_table(snapshot, "calibration"):
        return None
    sql = """SELECT calibration.* FROM run JOIN calibration USING (model_id, method)
        WHERE run_id = ? AND abs(calibration.damping - run.damping) <= 1e-9 * run.damping"""
    rows = snapshot.rows(sql, [run_id])
    return record(Calibration, numbers(rows[0], "held_out_slope")) if rows else None


@kept(32)
def strengths(snapshot: Snapshot, run_id: str, generation_id: str) -> dict[int, float]:
    """position -> influence of its most helpful document, nats."""
    sql = "SELECT position, max(score) AS score FROM influence WHERE run_id = ? AND generation_id = ? GROUP BY position"
    return {row["position"]: row["score"] for row in snapshot.rows(sql, [run_id, generation_id])}


@kept(16)
def kept_scores(snapshot: Snapshot, run_id: str, generation_id: str, first: int, last: int) -> KeptScores:
    """All kept scores of the tokens first..last."""
    sql = f"""SELECT position, rank, document_id, score, self_influence, grad_norm, solve_norm,
        {of_the_query(snapshot, "influence")}, layer_scores
        FROM influence WHERE run_id = ? AND generation_id = ? AND position BETWEEN ? AND ?"""  # noqa: S608
    return kept_scores_of(snapshot.query(sql, [run_id, generation_id, first, last]))


@kept(16)
def top_layers(snapshot: Snapshot, run_id: str, generation_id: str, k: int) -> dict[int, NDArray[np.float64]]:
    """position -> [L] sum of the layers of the k most helpful documents of every token."""
    sql = """SELECT position AS place, layer_scores FROM influence
        WHERE run_id = ? AND generation_id = ? AND rank <= ? AND score > 0 AND layer_scores IS NOT NULL"""
    return summed_layers(snapshot.query(sql, [run_id, generation_id, k]))


def document_effects(snapshot: Snapshot, run_id: str, generation_id: str, document_id: str) -> dict[int, float]:
    """position -> influence of one document, nats; a token for which it was not kept is absent."""
    sql = "SELECT position, score FROM influence WHERE run_id = ? AND generation_id = ? AND document_id = ?"
    rows = snapshot.rows(sql, [run_id, generation_id, document_id])
    return {row["position"]: row["score"] for row in rows}


def best_documents(snapshot: Snapshot, generation_ids: Sequence[str]) -> dict[str, Best]:
    """generation_id -> the most helpful document of the whole answer, by the run that `answers.best_first` begins with;
    where whole answers are no targets, that with the largest sum of stored influence over its tokens. A score that was
    not kept is unknown: `n_tokens` says how many are in the sum."""
    sql = f"""SELECT generation_id, run_id, best.document_id, summed, n_tokens, ({_LOGP}) AS logp,
            ({_SPANNED if has_column(snapshot, "span", "kind") else _WRITTEN}) AS of_tokens
        FROM ({_BEST if has_column(snapshot, "answer_source", "sum_document_id") else _BEST_BEFORE}) AS best
        JOIN ({RUNS}) USING (run_id) WHERE summed > 0
        QUALIFY row_number() OVER (PARTITION BY generation_id ORDER BY place) = 1
        """  # noqa: S608 (constants)
    rows = snapshot.rows(sql, {"ids": list(generation_ids)})
    titles = _titles(snapshot, sorted({row["document_id"] for row in rows}))
    return {row["generation_id"]: record(Best, row | {"title": titles.get(row["document_id"])}) for row in rows}


def _titles(snapshot: Snapshot, document_ids: Sequence[str]) -> dict[str, str]:
    """Asked for by themselves: a join would read those of the whole corpus."""
    asked, values = among(document_ids)
    sql = f"SELECT document_id, title FROM document WHERE {asked}"  # noqa: S608 (a constant, and question marks)
    return {row["document_id"]: row["title"] for row in snapshot.rows(sql, values)}


_WRITTEN = "SELECT count(*) FROM generation_token AS token WHERE token.generation_id = best.generation_id"
_SPANNED = f"""coalesce((SELECT last - first + 1 FROM span WHERE span.generation_id = best.generation_id
    AND kind = 'answer'), ({_WRITTEN}))"""  # noqa: S608 (constants)
_ASKED_OF = "generation_id IN (SELECT unnest($ids::VARCHAR[]))"
_LOGP = "SELECT sum(logp) FROM generation_token AS token WHERE token.generation_id = best.generation_id"
_BEST = f"""SELECT run_id, generation_id, sum_document_id AS document_id, sum_score AS summed, sum_tokens AS n_tokens
    FROM answer_source WHERE {_ASKED_OF}"""  # noqa: S608 (a constant)
_BEST_BEFORE = f"""SELECT run_id, generation_id, document_id, helped + hurt AS summed, n_tokens
    FROM answer_document WHERE {_ASKED_OF} QUALIFY
    row_number() OVER (PARTITION BY run_id, generation_id ORDER BY helped + hurt DESC, document_id) = 1"""  # noqa: S608


@kept(32)
def proposers(snapshot: Snapshot, generation_id: str, first: int, last: int) -> dict[str, set[str]]:
    """document_id -> who proposed it for these tokens: index, index_cosine, bm25, hidden, random."""
    sql = """SELECT document_id, list(DISTINCT via) AS via FROM candidate
        WHERE generation_id = ? AND (position IS NULL OR position BETWEEN ? AND ?) GROUP BY document_id"""
    return {row["document_id"]: set(row["via"]) for row in snapshot.rows(sql, [generation_id, first, last])}


@kept(32)
def layers(snapshot: Snapshot, model_id: str) -> list[Layer]:
    sql = "SELECT layer, name, kind, depth FROM layer WHERE model_id = ? ORDER BY layer"
    return [record(Layer, row) for row in snapshot.rows(sql, [model_id])]


@kept(16)
def heats(
    snapshot: Snapshot, run_id: str, generation_id: str, first: int, last: int, tokenizer_id: str, ids: Sequence[str]
) -> dict[str, Heat]:
    """document_id -> what its tokens carry, summed over first..last; only documents stored for all of these tokens."""
    sql = """SELECT document_id, shares, loss_influences FROM influence_position
        WHERE run_id = $run AND generation_id = $generation AND position BETWEEN $first AND $last
          AND document_id IN (SELECT unnest($ids::VARCHAR[]))"""
    values = {"run": run_id, "generation": generation_id, "first": first, "last": last, "ids": list(ids)}
    stored: dict[str, list[dict[str, Any]]] = {}
    for row in snapshot.rows(sql, values):
        stored.setdefault(row["document_id"], []).append(row)
    whole = {key: rows for key, rows in stored.items() if len(rows) == last - first + 1}
    texts = document_tokens(snapshot, tokenizer_id, list(whole))
    return {key: total_heat(texts.get(key, []), rows) for key, rows in whole.items()}


def relabellings(
    snapshot: Snapshot,
    run_id: str,
    generation_id: str,
    position: int,
    document_id: str,
    tokenizer_id: str,
    k: int,
) -> list[Relabelling]:
    """The k replacements of one token of a document that would change one generated token most, one per token."""
    sql = """SELECT token_position, said.texts[token_position + 1] AS said, other.texts[best] AS instead,
            influences[best] AS influence
        FROM (SELECT *, list_position(list_transform(influences, lambda x: abs(x)),
                                      list_max(list_transform(influences, lambda x: abs(x)))) AS best
              FROM relabel WHERE run_id = $run AND generation_id = $generation AND position = $position
              AND document_id = $document) AS other
        JOIN token_texts AS said USING (document_id)
        WHERE tokenizer_id = $tokenizer AND best > 0 ORDER BY abs(influences[best]) DESC, token_position LIMIT $k"""
    values = {
        "run": run_id,
        "generation": generation_id,
        "position": position,
        "document": document_id,
        "tokenizer": tokenizer_id,
        "k": k,
    }
    return [record(Relabelling, row) for row in snapshot.rows(sql, values)]
