"""All SQL of the dashboard: one function per question, named by it, values bound.

Nothing here knows Streamlit. `snapshot` is the published database of this rerun (indexer.database.reader).
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dashboard import records
from dashboard.records import Document, Generation, Heat, Layer, Model, Part, PromptToken, Run, Scores, Target, Token


class Snapshot(Protocol):
    """What a question needs of indexer.database.reader.Snapshot."""

    @property
    def name(self) -> str: ...
    def query(self, sql: str, values: Any = ()) -> pa.Table: ...
    def rows(self, sql: str, values: Any = ()) -> list[dict[str, Any]]: ...


_GENERATION = """
    SELECT generation_id, prompt_id, prompt.text AS prompt, prompt.kind, prompt.topic, prompt.answer,
           generation.text, created_at, model.*
    FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)"""

_TOKEN_MATCHES = {  # how a token's text answers to the filter
    "literal": "trim(token.text) = trim($token)",
    "prefix": "starts_with(lower(ltrim(token.text)), lower(ltrim($token)))",
    "regex": "regexp_matches(token.text, $token)",
}
_TEXT_MATCHES = {  # the same for the words of a training document
    "literal": "list_contains(regexp_split_to_array(document.text, '[^\\pL\\pN]+'), trim($token))",
    "prefix": "len(list_filter(regexp_split_to_array(lower(document.text), '[^\\pL\\pN]+'), "
    "lambda word: starts_with(word, lower(trim($token))))) > 0",
    "regex": "regexp_matches(document.text, $token)",
}


def models(snapshot: Snapshot) -> list[Model]:
    """Every model, smallest first."""
    rows = snapshot.rows("SELECT * FROM model ORDER BY family, n_params, name")
    return [_model(row) for row in rows]


def runs(snapshot: Snapshot, model_id: str) -> list[Run]:
    """Runs of one model, the plain EK-FAC one first."""
    sql = "SELECT * FROM run WHERE model_id = ? ORDER BY method <> 'ekfac', run_id"
    return [_record(Run, row) for row in snapshot.rows(sql, [model_id])]


def prompt_topics(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT DISTINCT topic FROM prompt WHERE topic <> '' ORDER BY topic")
    return [row["topic"] for row in rows]


def document_sources(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT source, count(*) AS n FROM document GROUP BY source ORDER BY n DESC, source")
    return [row["source"] for row in rows]


def document_topics(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT topic, count(*) AS n FROM document GROUP BY topic ORDER BY n DESC, topic")
    return [row["topic"] for row in rows]


def matching_prompts(
    snapshot: Snapshot, *, text: str, token: str, match: str, within: str, size: str, topic: str, source: str
) -> list[str]:
    """Ids of the prompts with a generation that passes every filter ('' passes all), in a stable order.

    match: literal, prefix, regex. within: 'answers' looks at generated tokens, 'documents' at the words of the ten
    most helpful documents of any token. Raises BadInput for a regular expression that cannot be read.
    """
    if within == "documents":
        wanted = f"""EXISTS (FROM influence JOIN document USING (document_id)
            WHERE influence.generation_id = generation.generation_id AND influence.rank <= 10 AND {_TEXT_MATCHES[match]})"""
    else:
        wanted = f"""EXISTS (FROM generation_token AS token
            WHERE token.generation_id = generation.generation_id AND {_TOKEN_MATCHES[match]})"""
    from_source = """EXISTS (FROM influence JOIN document USING (document_id)
        WHERE influence.generation_id = generation.generation_id AND influence.rank = 1 AND document.source = $source)"""
    conditions = {
        "text": "(contains(lower(prompt.text), lower($text)) OR contains(lower(generation.text), lower($text)))",
        "token": wanted,
        "size": "model.name = $size",
        "topic": "prompt.topic = $topic",
        "source": from_source,
    }
    given = {"text": text, "token": token, "size": size, "topic": topic, "source": source}
    values = {name: value for name, value in given.items() if value}
    where = " AND ".join(conditions[name] for name in values) or "true"
    sql = f"""SELECT prompt_id, any_value(prompt.topic) AS topic, any_value(prompt.text) AS text
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        WHERE {where} GROUP BY prompt_id ORDER BY topic, text, prompt_id"""
    return [row["prompt_id"] for row in snapshot.rows(sql, values)]


def generations_of(snapshot: Snapshot, prompt_ids: Sequence[str]) -> dict[str, list[Generation]]:
    """What every model wrote after these prompts: prompt_id -> generations, smallest model first."""
    sql = _GENERATION + " WHERE list_contains($ids, prompt_id) ORDER BY n_params, name, created_at"
    found: dict[str, list[Generation]] = {prompt_id: [] for prompt_id in prompt_ids}
    for row in snapshot.rows(sql, {"ids": list(prompt_ids)}):
        found[row["prompt_id"]].append(_generation(row))
    return found


def generation(snapshot: Snapshot, generation_id: str) -> Generation | None:
    rows = snapshot.rows(_GENERATION + " WHERE generation_id = ?", [generation_id])
    return _generation(rows[0]) if rows else None


def example(snapshot: Snapshot) -> Generation | None:
    """An answer to begin with: the first right one of the smallest model, in the order of the prompt file."""
    sql = _GENERATION + """ ORDER BY prompt.answer <> '' AND starts_with(ltrim(generation.text), prompt.answer) DESC,
        n_params, prompt.rowid, generation_id LIMIT 1"""
    rows = snapshot.rows(sql)
    return _generation(rows[0]) if rows else None


def first_documents(snapshot: Snapshot, generation_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
    """generation_id -> (document_id, title) of the most helpful document of the answer's first token."""
    sql = """SELECT generation_id, document_id, title FROM influence JOIN document USING (document_id)
        WHERE list_contains($ids, generation_id) AND position = 0 AND rank = 1"""
    rows = snapshot.rows(sql, {"ids": list(generation_ids)})
    return {row["generation_id"]: (row["document_id"], row["title"]) for row in rows}


def tokens(snapshot: Snapshot, generation_id: str) -> list[Token]:
    rows = snapshot.rows("SELECT * FROM generation_token WHERE generation_id = ? ORDER BY position", [generation_id])
    return [_record(Token, _numbers(row, "logp", "foil_logp")) for row in rows]


def prompt_tokens(snapshot: Snapshot, tokenizer_id: str, prompt_id: str) -> list[PromptToken]:
    sql = """SELECT token_position AS position, text, start, stop FROM prompt_token
        WHERE tokenizer_id = ? AND prompt_id = ? ORDER BY token_position"""
    return [_record(PromptToken, row) for row in snapshot.rows(sql, [tokenizer_id, prompt_id])]


def prompt_parts(snapshot: Snapshot, prompt_id: str) -> list[Part]:
    sql = "SELECT part, kind, title, start, stop FROM prompt_part WHERE prompt_id = ? ORDER BY part"
    return [_record(Part, row) for row in snapshot.rows(sql, [prompt_id])]


def targets(snapshot: Snapshot, run_id: str, generation_id: str) -> dict[int, Target]:
    """position -> target of this run."""
    sql = "SELECT * FROM target WHERE run_id = ? AND generation_id = ? ORDER BY position"
    found = {}
    for row in snapshot.rows(sql, [run_id, generation_id]):
        row["null_scores"] = np.asarray(row["null_scores"] or (), dtype=np.float64)
        found[row["position"]] = _record(Target, _numbers(row, "value", "self_influence"))
    return found


def strengths(snapshot: Snapshot, run_id: str, generation_id: str) -> dict[int, float]:
    """position -> influence of its most helpful document, nats."""
    sql = "SELECT position, max(score) AS score FROM influence WHERE run_id = ? AND generation_id = ? GROUP BY position"
    return {row["position"]: row["score"] for row in snapshot.rows(sql, [run_id, generation_id])}


def kept_scores(snapshot: Snapshot, run_id: str, generation_id: str, first: int, last: int) -> Scores:
    """All kept pairs of the tokens first..last."""
    sql = """SELECT position, rank, document_id, score, self_influence, grad_norm, solve_norm, layer_scores
        FROM influence WHERE run_id = ? AND generation_id = ? AND position BETWEEN ? AND ?"""
    table = snapshot.query(sql, [run_id, generation_id, first, last])
    layers = [row or [] for row in table["layer_scores"].to_pylist()]
    depth = max((len(row) for row in layers), default=0)
    return Scores(
        position=table["position"].to_numpy().astype(np.int64),
        rank=table["rank"].to_numpy().astype(np.int64),
        document_id=table["document_id"].to_pylist(),
        score=_floats(table["score"]),
        self_influence=_floats(table["self_influence"]),
        grad_norm=_floats(table["grad_norm"]),
        solve_norm=_floats(table["solve_norm"]),
        layer_scores=np.array([row or [np.nan] * depth for row in layers], dtype=np.float64).reshape(len(layers), depth),
    )


def document_effects(snapshot: Snapshot, run_id: str, generation_id: str, document_id: str) -> dict[int, float]:
    """position -> influence of one document, nats; a token for which it was not kept is absent."""
    sql = "SELECT position, score FROM influence WHERE run_id = ? AND generation_id = ? AND document_id = ?"
    rows = snapshot.rows(sql, [run_id, generation_id, document_id])
    return {row["position"]: row["score"] for row in rows}


def documents(snapshot: Snapshot, document_ids: Sequence[str]) -> dict[str, Document]:
    sql = "SELECT document_id, corpus, title, source, topic, text FROM document WHERE list_contains($ids, document_id)"
    return {row["document_id"]: _record(Document, row) for row in snapshot.rows(sql, {"ids": list(document_ids)})}


def proposers(snapshot: Snapshot, generation_id: str, first: int, last: int) -> dict[str, set[str]]:
    """document_id -> who proposed it for these tokens: index, index_cosine, bm25, hidden, random."""
    sql = """SELECT document_id, list(DISTINCT via) AS via FROM candidate
        WHERE generation_id = ? AND (position IS NULL OR position BETWEEN ? AND ?) GROUP BY document_id"""
    return {row["document_id"]: set(row["via"]) for row in snapshot.rows(sql, [generation_id, first, last])}


def layers(snapshot: Snapshot, model_id: str) -> list[Layer]:
    sql = "SELECT layer, name, kind, depth FROM layer WHERE model_id = ? ORDER BY layer"
    return [_record(Layer, row) for row in snapshot.rows(sql, [model_id])]


def heats(
    snapshot: Snapshot, run_id: str, generation_id: str, first: int, last: int, tokenizer_id: str, ids: Sequence[str]
) -> dict[str, Heat]:
    """document_id -> what its tokens carry, summed over the tokens first..last; only documents stored for all of them."""
    sql = """SELECT document_id, shares, loss_influences FROM influence_position
        WHERE run_id = $run AND generation_id = $generation AND position BETWEEN $first AND $last
          AND list_contains($ids, document_id)"""
    values = {"run": run_id, "generation": generation_id, "first": first, "last": last, "ids": list(ids)}
    stored: dict[str, list[dict[str, Any]]] = {}
    for row in snapshot.rows(sql, values):
        stored.setdefault(row["document_id"], []).append(row)
    whole = {key: rows for key, rows in stored.items() if len(rows) == last - first + 1}
    texts = document_tokens(snapshot, tokenizer_id, list(whole))
    return {
        key: Heat(texts.get(key, []), _total(rows, "shares"), _total(rows, "loss_influences"))
        for key, rows in whole.items()
    }


def document_tokens(snapshot: Snapshot, tokenizer_id: str, document_ids: Sequence[str]) -> dict[str, list[str]]:
    """document_id -> its tokens as text, one per position."""
    sql = """SELECT document_id, list(text ORDER BY token_position) AS texts FROM document_token
        WHERE tokenizer_id = $tokenizer AND list_contains($ids, document_id) GROUP BY document_id"""
    rows = snapshot.rows(sql, {"tokenizer": tokenizer_id, "ids": list(document_ids)}) if document_ids else []
    return {row["document_id"]: row["texts"] for row in rows}


def saliency_methods(snapshot: Snapshot, generation_id: str) -> list[str]:
    sql = "SELECT DISTINCT method FROM saliency WHERE generation_id = ? ORDER BY method"
    return [row["method"] for row in snapshot.rows(sql, [generation_id])]


def saliency(snapshot: Snapshot, generation_id: str, first: int, last: int, method: str) -> dict[int, float]:
    """source_position -> saliency for the tokens first..last, summed."""
    sql = """SELECT source_position, sum(score) AS score FROM saliency
        WHERE generation_id = ? AND position BETWEEN ? AND ? AND method = ? GROUP BY source_position"""
    rows = snapshot.rows(sql, [generation_id, first, last, method])
    return {row["source_position"]: row["score"] for row in rows}


def _record(kind: Any, row: Mapping[str, Any]) -> Any:
    """The fields of the record that the row has; text columns without a value become ''."""
    values = {}
    for name, of in kind.__dataclass_fields__.items():
        value = row[name]
        values[name] = "" if value is None and of.type in (str, "str") else value
    return kind(**values)


def _model(row: Mapping[str, Any]) -> Model:
    model: Model = _record(Model, row)
    return model


def _generation(row: Mapping[str, Any]) -> Generation:
    texts = {name: row[name] or "" for name in ("generation_id", "prompt_id", "prompt", "kind", "topic", "answer", "text")}
    return records.Generation(**texts, created_at=row["created_at"], model=_model(row))


def _numbers(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return row | {name: float("nan") if row[name] is None else row[name] for name in names}


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    """[N] with NaN where the database has no value."""
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)


def _total(rows: Sequence[Mapping[str, Any]], name: str) -> NDArray[np.float64]:
    arrays = [np.asarray(row[name] or (), dtype=np.float64) for row in rows]
    return np.sum(arrays, axis=0) if len({array.size for array in arrays}) == 1 else np.empty(0)
