"""Target sets: which there are, and what every size's documents do to them; nothing in a file without such sets."""

from collections.abc import Sequence

import numpy as np

from dashboard.database.group_records import GroupScore
from dashboard.database.queries import influence
from dashboard.database.queries.rows import Snapshot, has_table, kept, numbers, record
from dashboard.database.set_records import CurvePoint, SetEffect, SetScore, SetTarget, SetText
from dashboard.database.unit import Unit, unit_for


@kept(1)
def set_targets(snapshot: Snapshot) -> list[SetTarget]:
    """Every set of every run, by name; of one set the smallest model first, and of one model the plain EK-FAC run."""
    if not has_table(snapshot, "set_target"):
        return []
    rows = snapshot.rows("""SELECT set_target.*, method, model_id, model.name AS model
        FROM set_target JOIN run USING (run_id) JOIN model USING (model_id)
        ORDER BY set_target.name, family, n_params, model.name, method <> 'ekfac', run_id""")
    unknown = ("value", "self_influence", "null_mean", "null_std", "rank_correlation", "estimate_error")
    for row in rows:
        row["null_scores"] = np.asarray(row["null_scores"] or (), dtype=np.float64)
    return [record(SetTarget, numbers(row, *unknown)) for row in rows]


_SIDES = {
    "towards": ("AND score > 0", "score DESC"),
    "away": ("AND score < 0", "score"),
    "both": ("", "abs(score) DESC"),
}


@kept(16)
def set_scores(
    snapshot: Snapshot, run_id: str, name: str, side: str, k: int | None = None, first: int = 0
) -> list[SetScore]:
    """The documents that push `towards` the set or `away` from it, or either way (`both`), strongest first: k of them
    from place `first` on, or all."""
    where, order = _SIDES[side]
    sql = f"""SELECT document_id, rank, score, coalesce(estimate, 'nan'::FLOAT) AS estimate,
            coalesce(layer_scores, []) AS layer_scores
        FROM set_influence WHERE run_id = $run AND name = $name {where}
        ORDER BY {order}, document_id LIMIT $k OFFSET $first"""  # noqa: S608 (words of ours)
    rows = snapshot.rows(sql, {"run": run_id, "name": name, "k": k, "first": first})
    return [record(SetScore, row) for row in rows]


@kept(16)
def count_scores(snapshot: Snapshot, run_id: str, name: str, side: str) -> int:
    """How many documents `set_scores` has."""
    sql = f"SELECT count(*) AS n FROM set_influence WHERE run_id = ? AND name = ? {_SIDES[side][0]}"  # noqa: S608
    return int(snapshot.rows(sql, [run_id, name])[0]["n"])


@kept(16)
def set_curve(snapshot: Snapshot, run_id: str, name: str) -> list[CurvePoint]:
    sql = "SELECT place, estimate, total FROM set_curve WHERE run_id = ? AND name = ? ORDER BY place"
    return [record(CurvePoint, row) for row in snapshot.rows(sql, [run_id, name])]


@kept(16)
def set_groups(snapshot: Snapshot, run_id: str, name: str) -> list[GroupScore]:
    """Every whole group of documents, the most helpful of each column first; [] where groups are not computed."""
    if not has_table(snapshot, "corpus_group"):
        return []
    sql = """SELECT corpus, column_name, value, coalesce(n_documents, 0) AS n_documents, score, error
        FROM set_group LEFT JOIN corpus_group USING (corpus, column_name, value)
        WHERE run_id = ? AND name = ? ORDER BY column_name, score DESC, corpus, value"""
    return [record(GroupScore, row) for row in snapshot.rows(sql, [run_id, name])]


@kept(8)
def set_texts(snapshot: Snapshot, name: str, k: int | None = None) -> list[SetText]:
    """The first k texts, or all: those of the set before those against it."""
    sql = """SELECT number, side, prompt, completion FROM set_text WHERE name = $name
        ORDER BY side, number LIMIT $k"""
    return [record(SetText, row) for row in snapshot.rows(sql, {"name": name, "k": k})]


@kept(16)
def set_effects(snapshot: Snapshot, document_id: str) -> list[SetEffect]:
    """What one document does to every set for which it was scored exactly; [] where there are no sets."""
    if not has_table(snapshot, "set_influence"):
        return []
    sql = """SELECT set_influence.name, model.name AS model, run_id, rank, n_documents, score, against, value,
            null_scores
        FROM set_influence JOIN set_target USING (run_id, name) JOIN run USING (run_id) JOIN model USING (model_id)
        WHERE document_id = ? ORDER BY set_influence.name, n_params, model.name, method <> 'ekfac', run_id"""
    rows = snapshot.rows(sql, [document_id])
    for row in rows:
        row["null_scores"] = np.asarray(row["null_scores"] or (), dtype=np.float64)
    return [record(SetEffect, numbers(row, "value")) for row in rows]


def set_ranks(snapshot: Snapshot, name: str, run_ids: Sequence[str], k: int) -> list[tuple[str, str, float]]:
    """(run_id, document_id, score) of the k most helpful documents of each run, best first."""
    sql = """SELECT run_id, document_id, score FROM set_influence
        WHERE name = $name AND run_id IN (SELECT unnest($runs::VARCHAR[])) AND score > 0
        QUALIFY row_number() OVER (PARTITION BY run_id ORDER BY score DESC, document_id) <= $k
        ORDER BY run_id, score DESC, document_id"""
    rows = snapshot.rows(sql, {"name": name, "runs": list(run_ids), "k": k})
    return [(row["run_id"], row["document_id"], row["score"]) for row in rows]


def set_unit(snapshot: Snapshot, target: SetTarget | SetEffect) -> Unit:
    """Of what documents do to a set: to its mean log p, or to the difference of two; by the run that scored it."""
    known = influence.calibration(snapshot, target.run_id)
    return unit_for(known, None if target.against else target.value, ())
