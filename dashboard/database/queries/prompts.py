"""What the prompt did: saliency, citations."""

from typing import Any

from attribution.prompt.saliency.method import methods
from dashboard.database.queries.rows import ASKED, Snapshot, has_table, kept, record
from dashboard.database.records import Measure


@kept(32)
def saliency_methods(snapshot: Snapshot, generation_id: str) -> list[str]:
    sql = "SELECT DISTINCT method FROM saliency WHERE generation_id = ? ORDER BY method"
    return [row["method"] for row in snapshot.rows(sql, [generation_id])]


def saliency(snapshot: Snapshot, generation_id: str, first: int, last: int, method: str) -> dict[int, float]:
    """source_position -> saliency for the tokens first..last, summed."""
    sql = """SELECT source_position, sum(score) AS score FROM saliency
        WHERE generation_id = ? AND position BETWEEN ? AND ? AND method = ? GROUP BY source_position"""
    rows = snapshot.rows(sql, [generation_id, first, last, method])
    return {row["source_position"]: row["score"] for row in rows}


@kept(8)
def saliency_rows(snapshot: Snapshot, generation_id: str, method: str) -> dict[int, dict[int, float]]:
    """position -> source_position -> score."""
    sql = "SELECT position, source_position, score FROM saliency WHERE generation_id = ? AND method = ?"
    found: dict[int, dict[int, float]] = {}
    for row in snapshot.rows(sql, [generation_id, method]):
        found.setdefault(row["position"], {})[row["source_position"]] = row["score"]
    return found


@kept(16)
def ablations(snapshot: Snapshot, generation_id: str) -> list[dict[str, Any]]:
    """design, present, log_odds: the answer with documents left out, in the order in which it was measured."""
    sql = "SELECT design, present, log_odds FROM ablation WHERE generation_id = ? ORDER BY design, number"
    return snapshot.rows(sql, [generation_id])


@kept(32)
def measures(snapshot: Snapshot, generation_id: str) -> list[Measure]:
    """How far the attributions of one answer agree with what the model does; none in a file of an earlier build."""
    if not has_table(snapshot, "faithfulness"):
        return []
    sql = """SELECT method, metric, value, random, detail FROM faithfulness WHERE generation_id = ?
        ORDER BY method, metric"""
    return [record(Measure, row) for row in snapshot.rows(sql, [generation_id])]


@kept(32)
def best_saliency(snapshot: Snapshot, model_id: str) -> str:
    """The map of the prompt that is shown first: over all stored answers of the model, the method without whose first
    tokens an answer loses most beyond what it loses without random ones (comprehensiveness); "" where nothing was
    measured. Attention and others that show where a model looked, and explain nothing, are no candidates."""
    if not has_table(snapshot, "faithfulness"):
        return ""
    known = [each.name for each in methods().values() if each.explains]
    sql = """SELECT method FROM faithfulness JOIN generation USING (generation_id)
        WHERE model_id = $model AND metric = 'comprehensiveness' AND random IS NOT NULL
          AND method IN (SELECT unnest($known::VARCHAR[]))
        GROUP BY method ORDER BY avg(value - random) DESC, method LIMIT 1"""
    rows = snapshot.rows(sql, {"model": model_id, "known": known})
    return next((row["method"] for row in rows), "")


@kept(1)
def answers_from_documents(snapshot: Snapshot) -> list[tuple[str, str, str]]:
    """(generation_id, question, model) of every answer to a prompt that brought documents."""
    sql = f"""SELECT generation_id, model.name AS model, {ASKED} AS prompt
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        WHERE prompt_id IN (SELECT prompt_id FROM prompt_part WHERE kind = 'document')
        ORDER BY prompt.rowid, n_params, generation_id"""  # noqa: S608 (a constant)
    return [(row["generation_id"], row["prompt"], row["model"]) for row in snapshot.rows(sql)]
