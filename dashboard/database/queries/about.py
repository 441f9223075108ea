"""What the database is: versions, settings, counts, and how faithful its numbers were found to be."""

import json
from typing import Any

from dashboard.database.queries.rows import Snapshot


def meta(snapshot: Snapshot) -> dict[str, Any]:
    """schema_version, whence_version, created_at, config (parsed where it is JSON, {} otherwise)."""
    rows = snapshot.rows("SELECT * FROM meta")
    found = rows[0] if rows else {}
    try:
        config = json.loads(found.get("config") or "{}")
    except ValueError:
        config = {}
    return found | {"config": config if isinstance(config, dict) else {}}


def sources(snapshot: Snapshot) -> list[dict[str, Any]]:
    return snapshot.rows("""SELECT source AS "Source", count(*) AS "Documents", count(DISTINCT topic) AS "Topics",
        round(avg(length(text))) AS "Mean characters" FROM document GROUP BY source ORDER BY "Documents" DESC""")


def sizes(snapshot: Snapshot) -> list[dict[str, Any]]:
    return snapshot.rows("""SELECT name AS "Model", family AS "Family", n_params AS "Parameters", n_layers AS "Blocks",
        stage AS "Stage", method AS "Influence", damping AS "Damping", round(seconds) AS "Seconds", device AS "Device",
        (SELECT count(*) FROM generation WHERE generation.model_id = model.model_id) AS "Answers",
        (SELECT count(*) FROM target WHERE target.run_id = run.run_id) AS "Explained tokens"
        FROM model LEFT JOIN run USING (model_id) ORDER BY family, n_params, name, method""")


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
    }


def counts(snapshot: Snapshot) -> dict[str, int]:
    row = snapshot.rows("""SELECT
        (SELECT count(*) FROM document) AS documents,
        (SELECT count(*) FROM prompt) AS prompts,
        (SELECT count(*) FROM generation_token) AS tokens,
        (SELECT count(*) FROM influence) AS influences""")[0]
    return {name: int(value) for name, value in row.items()}
