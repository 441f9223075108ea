"""What the database is: versions, settings, counts, and how faithful its numbers were found to be."""

import json
from typing import Any

from dashboard.database.queries.rows import Snapshot, has_table


def meta(snapshot: Snapshot) -> dict[str, Any]:
    """schema_version, whence_version, created_at, config (parsed where it is JSON, {} otherwise)."""
    rows = snapshot.rows("SELECT * FROM meta")
    found = rows[0] if rows else {}
    try:
        config = json.loads(found.get("config") or "{}")
    except ValueError:
        config = {}
    return found | {"config": config if isinstance(config, dict) else {}}


def coverage(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What of each model is explained, as shares of its parameters; [] in a database that does not say."""
    if not has_table(snapshot, "coverage"):
        return []
    rows = snapshot.rows("""SELECT name AS "Model",
        round(100 * sum(n_params) FILTER (kind = 'explained') / sum(n_params), 1) AS "Explained, %",
        round(100 * coalesce(sum(n_params) FILTER (kind = 'frozen'), 0) / sum(n_params), 1) AS "Frozen, %",
        round(100 * coalesce(sum(n_params) FILTER (kind = 'norms'), 0) / sum(n_params), 1) AS "Norms, %",
        round(100 * coalesce(sum(n_params) FILTER (kind = 'not explained'), 0) / sum(n_params), 1)
            AS "Not explained, %",
        coalesce(string_agg(part, ', ' ORDER BY n_params DESC, part) FILTER (kind = 'not explained'), '')
            AS "Which are not"
        FROM (SELECT model_id, kind, coverage.name AS part, coverage.n_params AS n_params FROM coverage)
        JOIN (SELECT model_id, name, n_params AS size FROM model) USING (model_id)
        GROUP BY name, size ORDER BY size, name""")
    some = any(row["Frozen, %"] for row in rows)
    return [{name: value for name, value in row.items() if some or name != "Frozen, %"} for row in rows]


def adapters(snapshot: Snapshot) -> list[dict[str, Any]]:
    """name, parent, n_explained and n_params of each model that is explained in its adapter's matrices alone."""
    if not has_table(snapshot, "coverage"):
        return []
    return snapshot.rows("""SELECT name, parent, n_explained, n_params FROM model JOIN (
            SELECT model_id, sum(n_params) FILTER (kind = 'explained')::BIGINT AS n_explained FROM coverage
            GROUP BY model_id HAVING bool_or(kind = 'frozen')) USING (model_id)
        ORDER BY name""")


def sources(snapshot: Snapshot) -> list[dict[str, Any]]:
    return snapshot.rows("""SELECT source AS "Source", count(*) AS "Documents", count(DISTINCT topic) AS "Topics",
        round(avg(length(text))) AS "Mean characters" FROM document GROUP BY source ORDER BY "Documents" DESC""")


def sizes(snapshot: Snapshot) -> list[dict[str, Any]]:
    return snapshot.rows("""SELECT name AS "Model", family AS "Family", n_params AS "Parameters", n_layers AS "Blocks",
        stage AS "Stage", method AS "Influence", damping AS "Damping", round(seconds) AS "Seconds", device AS "Device",
        (SELECT count(*) FROM generation WHERE generation.model_id = model.model_id) AS "Answers",
        (SELECT count(*) FROM target WHERE target.run_id = run.run_id) AS "Explained tokens"
        FROM model LEFT JOIN run USING (model_id) ORDER BY family, n_params, name, method""")


def trained_on(snapshot: Snapshot) -> list[dict[str, Any]]:
    """name, parent and n_train, the documents of its own training, of each model of which they are known."""
    rows = snapshot.rows("""SELECT name, coalesce(parent, '') AS parent,
            max(TRY_CAST(regexp_extract(settings, '"n_train": (\\d+)', 1) AS BIGINT)) AS n_train
        FROM run JOIN model USING (model_id) GROUP BY name, parent, n_params ORDER BY n_params, name""")
    return [row for row in rows if row["n_train"] is not None]


def evaluations(snapshot: Snapshot) -> list[dict[str, Any]]:
    """What was measured of the models, the highest value of each figure first; the interval is that of 95 %."""
    rows = snapshot.rows("""SELECT name, method, metric, value, detail FROM evaluation JOIN model USING (model_id)
        ORDER BY metric, n_params, value DESC""")
    return [_evaluation(row) for row in rows]


def _evaluation(row: dict[str, Any]) -> dict[str, Any]:
    try:
        parsed = json.loads(row["detail"] or "")
    except ValueError:
        parsed = None
    detail = parsed if isinstance(parsed, dict) else {"how": row["detail"]}  # words alone
    low, high = detail.get("low"), detail.get("high")
    return {
        "Model": row["name"],
        "Figure": row["metric"],
        "Method": row["method"],
        "Value": row["value"],
        "Low": low,
        "High": high,
        "95 % interval": "" if low is None or high is None else f"{low:.2f} to {high:.2f}",
        "How it was measured": detail.get("how", ""),
        "Measured": str(detail.get("measured", "")),  # the day, of what was not measured for this database
        "Command": str(detail.get("command", "")),
    }


def calibrated(snapshot: Snapshot) -> list[dict[str, Any]]:
    """Bins of predicted and measured change of each model and its estimators; [] where none were measured."""
    if not has_table(snapshot, "calibration_bin"):
        return []
    return snapshot.rows("""SELECT name AS model, method, predicted, measured, low, high, n
        FROM calibration_bin JOIN model USING (model_id) ORDER BY n_params, name, method, bin""")


def counts(snapshot: Snapshot) -> dict[str, int]:
    row = snapshot.rows("""SELECT
        (SELECT count(*) FROM document) AS documents,
        (SELECT count(*) FROM prompt) AS prompts,
        (SELECT count(*) FROM generation_token) AS tokens,
        (SELECT count(*) FROM influence) AS influences""")[0]
    return {name: int(value) for name, value in row.items()}
