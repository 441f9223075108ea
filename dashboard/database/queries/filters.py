"""Which prompts pass the filters of Runs, and what there is to filter by."""

from attribution.errors import BadInput
from dashboard.database.queries.groups import OWED_TO
from dashboard.database.queries.rows import Snapshot, has_column, has_table, kept
from dashboard.database.whole_words import database_pattern, pattern_fault
from indexer.search.words import is_unspaced

# how an answer meets the filter; a word may be made of several tokens, so that words are looked for in its text. What
# holds the letters at all is found ten times faster than a pattern
_IN_ANSWERS = {
    "word": "contains(lower(generation.text), lower(trim($token))) AND regexp_matches(generation.text, $pattern)",
    "literal": """generation.rowid IN
        (SELECT unnest(generations) FROM token_answer AS token WHERE trim(token.text) = trim($token))""",
    "regex": """generation.rowid IN
        (SELECT unnest(generations) FROM token_answer AS token WHERE regexp_matches(token.text, $token))""",
}
_IN_ANSWERS["prefix"] = _IN_ANSWERS["word"]
# the same for the documents with such a word; `words`: with words that a table of single words does not hold
_IN_DOCUMENTS = {
    "word": "SELECT document_id FROM document_word WHERE lower(word) = lower(trim($token))",
    "literal": "SELECT document_id FROM document_word WHERE word = trim($token)",
    "prefix": "SELECT document_id FROM document_word WHERE starts_with(lower(word), lower(trim($token)))",
    "regex": "SELECT document_id FROM document WHERE regexp_matches(text, $token)",
    "words": """SELECT document_id FROM document
        WHERE contains(lower(text), lower(trim($token))) AND regexp_matches(text, $pattern)""",
}
# which answers count, and what they come by
_OWING = {
    "towards": ("owed.score > 0", "max(owed.score)"),
    "away": ("owed.score < 0", "max(-owed.score)"),
    "both": ("true", "max(abs(owed.score))"),
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
    owes: tuple[str, str] | None = None,
    side: str = "towards",
) -> list[str]:
    """Ids of the prompts with a generation that passes every filter ('' passes all), in a stable order.

    match: word and prefix (whatever the case), literal (one generated token; a word of a document), regex (in one
    generated token; in a document). within: 'answers' or 'documents', the ten most helpful ones of any token. owes: a
    group of documents (column, value); prompts then come by what an answer owes to it, the most first, and `side` says
    whether answers that it pushes towards, away or both count. Raises BadInput for a regular expression that cannot be
    read.
    """
    searched = _IN_ANSWERS[match]
    if within == "documents":
        among = _IN_DOCUMENTS["words" if match in ("word", "prefix") and not _is_one_word(token) else match]
        searched = f"""generation.rowid IN
            (SELECT unnest(generations) FROM helped_answer WHERE document_id IN ({among}))"""  # noqa: S608 (ours only)
    best = "sum_source" if has_column(snapshot, "answer_source", "sum_source") else "best_source"
    conditions = {
        "text": "(contains(lower(prompt.text), lower($text)) OR contains(lower(generation.text), lower($text)))",
        "token": f"({searched})",
        "size": "model.name = $size",
        "family": "model.family = $family",
        "topic": "prompt.topic = $topic",
        "source": f"generation_id IN (SELECT generation_id FROM answer_source WHERE {best} = $source)",  # noqa: S608
    }
    given = {"text": text, "token": token, "size": size, "family": family, "topic": topic, "source": source}
    values = {name: value for name, value in given.items() if value}
    if token and "$pattern" in searched:
        values["pattern"] = database_pattern(token, match)
    where = " AND ".join(conditions[name] for name in values if name in conditions) or "true"
    debts, order = "", "topic, text, prompt_id"
    if owes is not None:
        if not has_table(snapshot, "answer_group"):
            return []
        values |= {"column": owes[0], "value": owes[1]}
        debts = f"JOIN ({OWED_TO}) AS owed USING (generation_id)"
        where, order = f"{where} AND {_OWING[side][0]}", f"{_OWING[side][1]} DESC, {order}"
    sql = f"""SELECT prompt_id, any_value(prompt.topic) AS topic, any_value(prompt.text) AS text
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id) {debts}
        WHERE {where} GROUP BY prompt_id ORDER BY {order}"""  # noqa: S608 (conditions of ours only)
    try:
        return [row["prompt_id"] for row in snapshot.rows(sql, values)]
    except BadInput as error:
        if match != "regex" or not token:
            raise
        fault = pattern_fault(str(error))
        raise BadInput(
            f"Expected a pattern, found {token!r}, in which {fault}; mend it, or choose “the token” to look for these "
            "very characters."
        ) from None


def _is_one_word(token: str) -> bool:
    """As `document_word` holds them: letters and digits of a script that puts spaces between words."""
    said = token.strip()
    return said.isalnum() and not any(map(is_unspaced, said))
