"""Words and whole answers as targets of their own: exact scores, ranked over one set of documents for an answer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dashboard.database.queries import answers
from dashboard.database.queries.documents import document_tokens
from dashboard.database.queries.rows import (
    ASKED,
    Snapshot,
    has_table,
    kept,
    kept_scores_of,
    numbers,
    of_the_query,
    record,
    summed_layers,
    total_heat,
)
from dashboard.database.records import Generation, Heat, KeptScores, Target
from dashboard.database.span_records import AnswerSpan, HeatedAnswer, opening

_WHERE = "run_id = ? AND generation_id = ? AND span = ?"


@kept(32)
def answer_spans(snapshot: Snapshot, run_id: str, generation_id: str) -> list[AnswerSpan]:
    """The words that this run explains, in order, and the whole answer; [] where they are not computed."""
    if not has_table(snapshot, "span_target"):
        return []
    sql = """SELECT span.* FROM span SEMI JOIN (SELECT generation_id, span FROM span_target WHERE run_id = $run
        AND generation_id = $generation) USING (generation_id, span) WHERE generation_id = $generation ORDER BY span"""
    rows = snapshot.rows(sql, {"run": run_id, "generation": generation_id})
    return [record(AnswerSpan, row) for row in rows]


def opens_on(snapshot: Snapshot, of: Generation) -> tuple[int, int] | None:
    """What an answer opens on: None for the whole of it, where the run that is shown first has it as a target of its
    own; else its first token, (0, 0)."""
    run = next(iter(answers.best_first(snapshot, of.model.model_id)), None)
    return opening(answer_spans(snapshot, run.run_id, of.generation_id) if run else [])


@kept(16)
def span_target(snapshot: Snapshot, run_id: str, generation_id: str, of: AnswerSpan) -> Target | None:
    """The query of a span; its position is the span's first token."""
    rows = snapshot.rows(f"SELECT * FROM span_target WHERE {_WHERE}", [run_id, generation_id, of.span])  # noqa: S608
    if not rows:
        return None
    nulls = np.asarray(rows[0]["null_scores"] or (), dtype=np.float64)
    row = numbers(rows[0], "value", "self_influence") | {"position": of.first, "null_scores": nulls}
    target: Target = record(Target, row)
    return target


@kept(16)
def span_scores(snapshot: Snapshot, run_id: str, generation_id: str, of: AnswerSpan) -> KeptScores:
    """All kept scores of a span, one row a document; their position is the span's first token."""
    sql = f"""SELECT {int(of.first)} AS position, rank, document_id, score, self_influence, grad_norm, solve_norm,
        {of_the_query(snapshot, "span_influence")}, layer_scores FROM span_influence WHERE {_WHERE}"""  # noqa: S608 (a number)
    return kept_scores_of(snapshot.query(sql, [run_id, generation_id, of.span]))


@kept(16)
def top_layers(snapshot: Snapshot, run_id: str, generation_id: str, k: int) -> dict[int, NDArray[np.float64]]:
    """span -> [L] sum of the layers of the k most helpful documents of every word, and of the whole answer."""
    sql = """SELECT span AS place, layer_scores FROM span_influence
        WHERE run_id = ? AND generation_id = ? AND rank <= ? AND score > 0 AND layer_scores IS NOT NULL"""
    return summed_layers(snapshot.query(sql, [run_id, generation_id, k]))


@kept(16)
def span_heats(
    snapshot: Snapshot, run_id: str, generation_id: str, of: AnswerSpan, tokenizer_id: str, ids: Sequence[str]
) -> dict[str, Heat]:
    """document_id -> what its tokens carry for the span, of the documents for which it is stored."""
    sql = """SELECT document_id, shares, loss_influences FROM span_position
        WHERE run_id = $run AND generation_id = $generation AND span = $span
          AND document_id IN (SELECT unnest($ids::VARCHAR[]))"""
    values = {"run": run_id, "generation": generation_id, "span": of.span, "ids": list(ids)}
    stored = {row["document_id"]: row for row in snapshot.rows(sql, values)}
    texts = document_tokens(snapshot, tokenizer_id, list(stored))
    return {key: total_heat(texts.get(key, []), [row]) for key, row in stored.items()}


@kept(16)
def span_proposers(snapshot: Snapshot, generation_id: str) -> dict[str, set[str]]:
    """document_id -> who proposed it: all spans of an answer are scored on what was proposed for any, and on what
    words and chance propose for its tokens."""
    sql = """SELECT document_id, list(DISTINCT via) AS via FROM (
            SELECT document_id, via FROM span_candidate WHERE generation_id = $generation
            UNION ALL SELECT document_id, via FROM candidate WHERE generation_id = $generation AND position IS NULL)
        GROUP BY document_id"""
    rows = snapshot.rows(sql, {"generation": generation_id})
    return {row["document_id"]: set(row["via"]) for row in rows}


@kept(16)
def heated_answers(snapshot: Snapshot, run_id: str, document_id: str) -> list[HeatedAnswer]:
    """The answers of a run for which it is stored what each token of a document carries, the most swayed first: for the
    whole answer; where it is not a target of its own, for some of its tokens, whose scores and log p are added up."""
    if not has_table(snapshot, "document_span"):
        return _heated_by_token(snapshot, run_id, document_id, [])
    sql = f"""SELECT generation_id, first, last, moved.score, last - first + 1 AS n_known, value AS logp,
            {ASKED} AS prompt, generation.text AS answer, span
        FROM (SELECT run_id, generation_id, best_span AS span, best_score AS score FROM document_span
              WHERE document_id = $document AND run_id = $run AND kind = 'answer') AS moved
        SEMI JOIN (SELECT generation_id, span FROM span_position SEMI JOIN
                (SELECT run_id, generation_id FROM document_span WHERE document_id = $document AND run_id = $run)
                USING (run_id, generation_id)
              WHERE run_id = $run AND document_id = $document) USING (generation_id, span)
        JOIN span USING (generation_id, span) JOIN span_target USING (run_id, generation_id, span)
        JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        ORDER BY abs(moved.score) DESC, generation_id"""  # noqa: S608 (a constant)
    whole = [record(HeatedAnswer, row) for row in snapshot.rows(sql, {"run": run_id, "document": document_id})]
    return [*whole, *_heated_by_token(snapshot, run_id, document_id, [each.generation_id for each in whole])]


def _heated_by_token(snapshot: Snapshot, run_id: str, document_id: str, but: Sequence[str]) -> list[HeatedAnswer]:
    """but: answers that are left out."""
    sql = f"""SELECT generation_id, first, last, of_tokens.score, n_known, logp, {ASKED} AS prompt,
            generation.text AS answer
        FROM (SELECT generation_id, min(position) AS first, max(position) AS last, sum(score) AS score,
                  count(*) AS n_known, sum(logp) AS logp
              FROM influence_position SEMI JOIN (SELECT run_id, generation_id FROM answer_document
                  WHERE document_id = $document) USING (run_id, generation_id)
              JOIN influence USING (run_id, generation_id, position, document_id)
              JOIN generation_token USING (generation_id, position)
              WHERE run_id = $run AND document_id = $document
                AND NOT list_contains($but::VARCHAR[], generation_id) GROUP BY generation_id) AS of_tokens
        JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        ORDER BY abs(of_tokens.score) DESC, generation_id"""  # noqa: S608 (a constant)
    values = {"run": run_id, "document": document_id, "but": list(but)}
    return [record(HeatedAnswer, row) for row in snapshot.rows(sql, values)]


def heat_for(snapshot: Snapshot, run_id: str, of: HeatedAnswer, tokenizer_id: str, document_id: str) -> Heat:
    """What each token of a document carries for an answer of `heated_answers`."""
    if of.span is None:
        where, values = "position BETWEEN ? AND ?", [of.first, of.last]
        table = "influence_position"
    else:
        where, values, table = "span = ?", [of.span], "span_position"
    sql = f"""SELECT shares, loss_influences FROM {table}
        WHERE run_id = ? AND generation_id = ? AND {where} AND document_id = ?"""  # noqa: S608 (words of ours)
    rows = snapshot.rows(sql, [run_id, of.generation_id, *values, document_id])
    return total_heat(document_tokens(snapshot, tokenizer_id, [document_id]).get(document_id, []), rows)
