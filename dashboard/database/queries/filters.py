"""Which prompts pass the filters of Runs, and what there is to filter by."""

from dashboard.database.queries.rows import Snapshot, kept

_TOKEN_MATCHES = {  # how a token's text answers to the filter
    "literal": "trim(token.text) = trim($token)",
    "prefix": "starts_with(lower(ltrim(token.text)), lower(ltrim($token)))",
    "regex": "regexp_matches(token.text, $token)",
}
_WORD_MATCHES = {  # the same for the documents with such a word
    "literal": "SELECT document_id FROM document_word WHERE word = trim($token)",
    "prefix": "SELECT document_id FROM document_word WHERE starts_with(lower(word), lower(trim($token)))",
    "regex": "SELECT document_id FROM document WHERE regexp_matches(text, $token)",
}


@kept(1)
def prompt_topics(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT DISTINCT topic FROM prompt WHERE topic <> '' ORDER BY topic")
    return [row["topic"] for row in rows]


@kept(1)
def families(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT DISTINCT family FROM model WHERE family <> '' ORDER BY family")
    return [row["family"] for row in rows]


@kept(1)
def document_sources(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT source, count(*) AS n FROM document GROUP BY source ORDER BY n DESC, source")
    return [row["source"] for row in rows]


@kept(1)
def document_topics(snapshot: Snapshot) -> list[str]:
    rows = snapshot.rows("SELECT topic, count(*) AS n FROM document GROUP BY topic ORDER BY n DESC, topic")
    return [row["topic"] for row in rows]


def matching_prompts(
    snapshot: Snapshot,
    *,
    text: str,
    token: str,
    match: str,
    within: str,
    size: str,
    family: str,
    topic: str,
    source: str,
) -> list[str]:
    """Ids of the prompts with a generation that passes every filter ('' passes all), in a stable order.

    match: literal, prefix, regex. within: 'answers' looks at generated tokens, 'documents' at the words of the ten
    most helpful documents of any token. Raises BadInput for a regular expression that cannot be read.
    """
    if within == "documents":
        among = f"helped_answer WHERE document_id IN ({_WORD_MATCHES[match]})"
    else:
        among = f"token_answer AS token WHERE {_TOKEN_MATCHES[match]}"
    conditions = {
        "text": "(contains(lower(prompt.text), lower($text)) OR contains(lower(generation.text), lower($text)))",
        "token": f"generation.rowid IN (SELECT unnest(generations) FROM {among})",  # noqa: S608 (words of ours only)
        "size": "model.name = $size",
        "family": "model.family = $family",
        "topic": "prompt.topic = $topic",
        "source": "generation_id IN (SELECT generation_id FROM answer_source WHERE best_source = $source)",
    }
    given = {"text": text, "token": token, "size": size, "family": family, "topic": topic, "source": source}
    values = {name: value for name, value in given.items() if value}
    where = " AND ".join(conditions[name] for name in values) or "true"
    sql = f"""SELECT prompt_id, any_value(prompt.topic) AS topic, any_value(prompt.text) AS text
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        WHERE {where} GROUP BY prompt_id ORDER BY topic, text, prompt_id"""  # noqa: S608 (conditions of ours only)
    return [row["prompt_id"] for row in snapshot.rows(sql, values)]
