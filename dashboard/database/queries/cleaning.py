"""Which training documents to look at again: rare ones, those that hurt a target set, those that one word spoils."""

from collections.abc import Sequence

from dashboard.database.queries.rows import Snapshot, has_table, kept, record
from dashboard.database.records import FoundWrong, Suspect

# where each order of Corpus lies, which of its rows count, the worst first
_RANKED = {
    "self_influence": ("self_influence", "self_influence IS NOT NULL", "self_influence DESC"),
    "harm": ("set_influence", "name = $set AND score < 0", "score"),
    "relabel": ("document_relabel", "true", "influence DESC"),
}

BLOCK = 1000  # ids that are asked for at once


def ranked(
    snapshot: Snapshot, run_id: str, order: str, target_set: str, source: str, topic: str, first: int, k: int
) -> list[str]:
    """Ids of k documents from place `first` on, the worst first; [] for an order that was not computed."""
    of = (run_id, order, target_set, source, topic)
    if k > BLOCK:
        return _ids(snapshot, *of, first, k)
    at = first - first % BLOCK
    ids = _block(snapshot, *of, at)
    if first + k > at + BLOCK:
        ids = ids + _block(snapshot, *of, at + BLOCK)
    return ids[first - at : first - at + k]


@kept(16)
def _block(snapshot: Snapshot, run_id: str, order: str, target_set: str, source: str, topic: str, at: int) -> list[str]:
    """In a large corpus a page takes as long as many pages, so one that is turned is there already."""
    return _ids(snapshot, run_id, order, target_set, source, topic, at, BLOCK)


def _ids(
    snapshot: Snapshot, run_id: str, order: str, target_set: str, source: str, topic: str, first: int, k: int
) -> list[str]:
    if not has_table(snapshot, _RANKED[order][0]):
        return []
    _, _, falling = _RANKED[order]
    sql = f"""SELECT document_id FROM {_among(order, source, topic)} ORDER BY {falling}, document_id
        LIMIT $k OFFSET $first"""  # noqa: S608 (words of ours only)
    values = _values(run_id, order, target_set, source, topic) | {"k": k, "first": first}
    return [row["document_id"] for row in snapshot.rows(sql, values)]


@kept(16)
def count_ranked(snapshot: Snapshot, run_id: str, order: str, target_set: str, source: str, topic: str) -> int:
    """How many documents `ranked` has; 0 for an order that was not computed."""
    if not has_table(snapshot, _RANKED[order][0]):
        return 0
    sql = f"SELECT count(*) AS n FROM {_among(order, source, topic)}"  # noqa: S608 (words of ours only)
    return int(snapshot.rows(sql, _values(run_id, order, target_set, source, topic))[0]["n"])


def suspects(snapshot: Snapshot, run_id: str, target_set: str, document_ids: Sequence[str]) -> dict[str, Suspect]:
    """document_id -> all that is known against it, of those of which anything is."""
    values = {"run": run_id, "ids": list(document_ids)}
    asked = [_OWN]
    if target_set and has_table(snapshot, "set_influence"):
        asked.append(_HARM)
    if has_table(snapshot, "document_relabel"):
        asked.append(_RELABEL)
    found: dict[str, dict[str, object]] = {}
    for sql in asked:
        for row in snapshot.rows(sql, values | ({"set": target_set} if sql is _HARM else {})):
            found.setdefault(row["document_id"], {}).update(row)
    return {each: record(Suspect, row) for each, row in found.items()}


def found_wrong(snapshot: Snapshot, method: str) -> list[FoundWrong]:
    """What an order of documents found of mislabelled facts, in every size that `evaluate` trained with some."""
    sql = """SELECT name, arg_max(value, rowid) FILTER (metric = 'mislabelled@10') AS within_ten,
            arg_max(value, rowid) FILTER (metric = 'mislabelled_auc') AS auc
        FROM (SELECT evaluation.rowid, * FROM evaluation JOIN model USING (model_id) WHERE method = ?)
        GROUP BY name, n_params HAVING within_ten IS NOT NULL AND auc IS NOT NULL ORDER BY n_params, name"""
    return [record(FoundWrong, row) for row in snapshot.rows(sql, [method])]


_CHOSEN = "run_id = $run AND document_id IN (SELECT unnest($ids::VARCHAR[]))"
_OWN = f"SELECT document_id, self_influence, loss FROM self_influence WHERE {_CHOSEN}"  # noqa: S608
_HARM = f"SELECT document_id, score AS harm FROM set_influence WHERE name = $set AND {_CHOSEN}"  # noqa: S608
_RELABEL = f"""SELECT document_id, influence AS gain, probability, score, coalesce(said.texts[token_position + 1], '')
        AS said, instead, token_position, generation_id, position, logp
    FROM document_relabel JOIN run USING (run_id) JOIN model USING (model_id)
    LEFT JOIN token_texts AS said USING (tokenizer_id, document_id)
    LEFT JOIN (SELECT generation_id, position, logp FROM generation_token) AS token USING (generation_id, position)
    WHERE {_CHOSEN}"""  # noqa: S608


def _among(order: str, source: str, topic: str) -> str:
    table, counts, _ = _RANKED[order]
    if not source and not topic:
        return f"{table} WHERE run_id = $run AND {counts}"
    of = [f"{name} = ${name}" for name, value in (("source", source), ("topic", topic)) if value]
    return f"{table} JOIN document USING (document_id) WHERE run_id = $run AND {counts} AND {' AND '.join(of)}"


def _values(run_id: str, order: str, target_set: str, source: str, topic: str) -> dict[str, object]:
    values = {"run": run_id, "source": source, "topic": topic}
    given: dict[str, object] = {name: value for name, value in values.items() if value or name == "run"}
    return given | ({"set": target_set} if order == "harm" else {})
