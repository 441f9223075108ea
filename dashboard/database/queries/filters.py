"""Which answers pass the filters of Runs, and what there is to filter by."""

from collections.abc import Sequence

from attribution.errors import BadInput
from dashboard.database.queries.groups import MOST, OWED_TO
from dashboard.database.queries.passing.arranged import ALPHABETICAL, VALUES
from dashboard.database.queries.passing.kinds import COLUMNS, KINDS
from dashboard.database.queries.rows import Snapshot, has_column, has_table, kept, kinds_of_answers
from dashboard.database.whole_words import database_pattern, pattern_fault, times_in
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
    """Those of most documents first."""
    return _offered(snapshot, "source")


@kept(1)
def document_topics(snapshot: Snapshot) -> list[str]:
    """Those of most documents first."""
    return _offered(snapshot, "topic")


def _offered(snapshot: Snapshot, column: str) -> list[str]:
    """Documents without one are among those of all."""
    sql = f"""SELECT {column} AS value, count(*) AS n FROM document WHERE {column} <> ''
        GROUP BY value ORDER BY n DESC, value LIMIT ?"""  # noqa: S608 (a column of ours)
    return [row["value"] for row in snapshot.rows(sql, [MOST])]


def passing_answers(
    snapshot: Snapshot,
    *,
    text: str = "",
    token: str = "",
    match: str = "word",
    within: str = "answers",
    size: str = "",
    family: str = "",
    topic: str = "",
    source: str = "",
    only: Sequence[str] = (),
    owes: tuple[str, str] | None = None,
    side: str = "towards",
    arranged: str = "",
    arranged_size: str = "",
    turned: bool = False,
) -> dict[str, list[str]]:
    """prompt_id -> its generations that pass every filter ('' passes all), the prompts in a stable order.

    match: word and prefix (whatever the case), literal (one generated token; a word of a document), regex (in one
    generated token; in a document). within: 'answers' or 'documents', the ten most helpful ones of any token. only:
    names of `KINDS`, and `most`: no other group of its column helps the answer more than `owes`. owes: a group of
    documents (column, value); prompts then come by what an answer owes to it, the most first, and `side` says whether
    answers that it pushes towards, away or both count. arranged: 'prompt' or a name of `VALUES`, by which prompts come
    instead, of the answers of `arranged_size`; turned: the last first. Raises BadInput for a regular expression that
    cannot be read.
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
    held = [conditions[name] for name in values]
    if token and "$pattern" in searched:
        values["pattern"] = database_pattern(token, match)
    if not knows(snapshot, only) or (owes is not None and not has_table(snapshot, "answer_group")):
        return {}
    if kinds := " AND ".join(KINDS[name] for name in only if name in KINDS):
        of = kinds_of_answers(snapshot)
        held.append(f"generation_id IN (SELECT generation_id FROM {of} WHERE {kinds})")  # noqa: S608 (constants)
    debts, order = "", "topic, text, prompt_id"
    if owes is not None:
        values |= {"column": owes[0], "value": owes[1]}
        debts = f"JOIN ({OWED_TO}) AS owed USING (generation_id)"
        held += [_OWING[side][0], *(["owed.rank = 1"] if "most" in only else [])]
        order = f"{_OWING[side][1]} DESC, {order}"
    if arranged == "prompt":
        order = f"text {'DESC' if turned else 'ASC'}, prompt_id"
    by = ""
    if arranged in VALUES:
        values["arranged"] = arranged_size
        by = f"LEFT JOIN ({VALUES[arranged]}) AS of_size USING (prompt_id)"
        down = (arranged in ALPHABETICAL) == turned
        order = f"any_value(of_size.value) {'DESC' if down else 'ASC'} NULLS LAST, {order}"
    sql = f"""SELECT prompt_id, any_value(prompt.topic) AS topic, any_value(prompt.text) AS text,
            list(generation_id ORDER BY generation_id) AS ids
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id) {debts} {by}
        WHERE {" AND ".join(held) or "true"} GROUP BY prompt_id ORDER BY {order}"""  # noqa: S608 (of ours only)
    try:
        return {row["prompt_id"]: row["ids"] for row in snapshot.rows(sql, values)}
    except BadInput as error:
        if match != "regex" or not token:
            raise
        fault = pattern_fault(str(error))
        raise BadInput(
            f"Expected a pattern, found {token!r}, in which {fault}; mend it, or choose “the token” to look for these "
            "very characters."
        ) from None


def knows(snapshot: Snapshot, only: Sequence[str]) -> bool:
    """Whether a database tells answers of these kinds apart: an older one may not."""
    return all(_is_known(snapshot, COLUMNS[name]) for name in only if name in COLUMNS)


@kept(4)
def _is_known(snapshot: Snapshot, column: str) -> bool:
    sql = f"SELECT 1 AS one FROM {kinds_of_answers(snapshot)} WHERE {column} IS NOT NULL LIMIT 1"  # noqa: S608 (constants)
    return bool(snapshot.rows(sql))


@kept(1)
def several_estimators(snapshot: Snapshot) -> bool:
    """Whether any model was explained by more than one."""
    sql = "SELECT count(*) AS n FROM (SELECT model_id FROM run GROUP BY model_id HAVING count(*) > 1)"
    return bool(snapshot.rows(sql)[0]["n"])


def count_matches(snapshot: Snapshot, token: str, match: str, generation_ids: Sequence[str]) -> int:
    """How often what `match` looks for stands in these answers: words of their texts, or generated tokens."""
    ids = {"ids": list(generation_ids)}
    if match in ("literal", "regex"):
        like = "trim(text) = trim($token)" if match == "literal" else "regexp_matches(text, $token)"
        sql = f"SELECT count(*) AS n FROM generation_token WHERE {like} AND {_OF_THESE}"  # noqa: S608 (of ours only)
        n: int = snapshot.rows(sql, ids | {"token": token})[0]["n"]
        return n
    rows = snapshot.rows(f"SELECT text FROM generation WHERE {_OF_THESE}", ids)  # noqa: S608 (of ours only)
    return sum(times_in(row["text"] or "", token, match) for row in rows)


def matching_texts(snapshot: Snapshot, texts: Sequence[str], token: str, match: str) -> list[bool]:
    """Which of these texts, which are not of the database, hold what is typed: as a word, or as a pattern. Raises
    BadInput for one that cannot be read; patterns are DuckDB's, which no pattern keeps busy for ever."""
    pattern = token if match == "regex" else database_pattern(token, "word" if match == "literal" else match)
    sql = "SELECT regexp_matches(unnest($texts::VARCHAR[]), $pattern) AS holds"
    return [bool(row["holds"]) for row in snapshot.rows(sql, {"texts": list(texts), "pattern": pattern})]


_OF_THESE = "generation_id IN (SELECT unnest($ids::VARCHAR[]))"


def _is_one_word(token: str) -> bool:
    """As `document_word` holds them: letters and digits of a script that puts spaces between words."""
    said = token.strip()
    return said.isalnum() and not any(map(is_unspaced, said))
