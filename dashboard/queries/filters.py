"""Which prompts pass the filters of Runs, and what there is to filter by."""

from dashboard.queries.rows import Snapshot

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
    of_generation = "generation_id = generation.generation_id"
    scored = f"FROM influence JOIN document USING (document_id) WHERE influence.{of_generation}"
    if within == "documents":
        wanted = f"EXISTS ({scored} AND influence.rank <= 10 AND {_TEXT_MATCHES[match]})"
    else:
        wanted = f"EXISTS (FROM generation_token AS token WHERE token.{of_generation} AND {_TOKEN_MATCHES[match]})"
    conditions = {
        "text": "(contains(lower(prompt.text), lower($text)) OR contains(lower(generation.text), lower($text)))",
        "token": wanted,
        "size": "model.name = $size",
        "topic": "prompt.topic = $topic",
        "source": f"EXISTS ({scored} AND influence.rank = 1 AND document.source = $source)",
    }
    given = {"text": text, "token": token, "size": size, "topic": topic, "source": source}
    values = {name: value for name, value in given.items() if value}
    where = " AND ".join(conditions[name] for name in values) or "true"
    sql = f"""SELECT prompt_id, any_value(prompt.topic) AS topic, any_value(prompt.text) AS text
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        WHERE {where} GROUP BY prompt_id ORDER BY topic, text, prompt_id"""  # noqa: S608 (conditions of ours only)
    return [row["prompt_id"] for row in snapshot.rows(sql, values)]
