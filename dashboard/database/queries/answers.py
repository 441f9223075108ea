"""Which models, runs and answers there are, and what one answer consists of."""

from collections.abc import Collection, Sequence
from typing import Any

from dashboard.database.prompt_share import MEASURED, SHARE
from dashboard.database.prompt_turns import Turn, prompt_turns
from dashboard.database.queries.documents import texts
from dashboard.database.queries.rows import (
    ASKED,
    Snapshot,
    generation_of,
    has_column,
    has_table,
    kept,
    kinds_of_answers,
    listed,
    model_of,
    numbers,
    record,
)
from dashboard.database.records import Generation, Model, PromptPart, PromptToken, Run, Token
from indexer.corpus.verdict import says

_GENERATION = """
    SELECT generation_id, prompt_id, prompt.text AS prompt, prompt.kind, prompt.topic, prompt.answer,
           generation.text, created_at, model.*
    FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)"""

# by which runs are put into order: a figure of one size of a family stands for all, for retraining is for small ones
FIGURE = "lds_without_self"  # the linear datamodelling score without the query's own document

# family, method, value: the highest figure of any size
FIGURES = f"""SELECT family, method, max(value) AS figure FROM evaluation JOIN model USING (model_id)
    WHERE metric = '{FIGURE}' GROUP BY family, method"""  # noqa: S608 (a constant)

# model_id, preferred: what fits where nothing was measured, by the regime of the model (`indexer/groups/regime.py`)
PREFERRED = """SELECT model_id,
        CASE WHEN contains(settings, '"near_minimum": true') THEN 'ekfac_cg' ELSE 'ekfac_checkpoints' END AS preferred
    FROM run WHERE contains(settings, '"near_minimum":')"""

# model_id, run_id, method, figure (NULL where none was measured), place: 1 is shown first
RUNS = f"""SELECT model_id, run_id, method, figure,
        row_number() OVER (PARTITION BY model_id ORDER BY figure DESC NULLS LAST,
            method IS DISTINCT FROM preferred, method <> 'ekfac', run_id) AS place
    FROM run JOIN (SELECT model_id, family FROM model) USING (model_id)
    LEFT JOIN ({PREFERRED}) USING (model_id) LEFT JOIN ({FIGURES}) USING (family, method)"""  # noqa: S608 (constants)


@kept(1)
def models(snapshot: Snapshot) -> list[Model]:
    """Every model, smallest first."""
    rows = snapshot.rows("SELECT * FROM model ORDER BY family, n_params, name")
    return [model_of(row) for row in rows]


@kept(32)
def runs(snapshot: Snapshot, model_id: str) -> list[Run]:
    """Runs of one model, the plain EK-FAC one first: that which groups, target sets and self-influence are of."""
    sql = "SELECT * FROM run WHERE model_id = ? ORDER BY method <> 'ekfac', run_id"
    return [record(Run, row) for row in snapshot.rows(sql, [model_id])]


@kept(32)
def measured_best(snapshot: Snapshot, model_id: str) -> str:
    """The method that is shown first because it was measured; "" where none was."""
    sql = f"SELECT method FROM ({RUNS}) WHERE model_id = ? AND place = 1 AND figure IS NOT NULL"  # noqa: S608
    return next((row["method"] for row in snapshot.rows(sql, [model_id])), "")


@kept(32)
def best_first(snapshot: Snapshot, model_id: str) -> list[Run]:
    """The same, but first the one of the method that agrees best with retraining or, where nothing was measured, that
    fits the regime of the model."""
    sql = f"SELECT run_id FROM ({RUNS}) WHERE model_id = ? AND place = 1"  # noqa: S608 (a constant)
    first = [row["run_id"] for row in snapshot.rows(sql, [model_id])]
    return sorted(runs(snapshot, model_id), key=lambda each: each.run_id not in first)


@kept(64)
def generation(snapshot: Snapshot, generation_id: str) -> Generation | None:
    rows = snapshot.rows(_GENERATION + " WHERE generation_id = ?", [generation_id])
    return generation_of(rows[0]) if rows else None


@kept(1)
def example(snapshot: Snapshot) -> Generation | None:
    """An answer to begin with: the right one of the smallest size that knows, of a prompt where a smaller size wrote
    what stands in no document that helped any answer, and where the document that helps this one most has its words. As
    many of these hold as can; then the order of the prompt file, and the smallest model. Looked at are the first two
    hundred that may be shown, no more than a few of them where one has everything."""
    rows = snapshot.rows(_CANDIDATES.replace("$kinds", kinds_of_answers(snapshot)))
    lacking = _lacking(snapshot, rows[:_FEW])
    if all(map(any, lacking)):
        lacking += _lacking(snapshot, rows[_FEW:])
    least = min(range(len(lacking)), key=lacking.__getitem__, default=None)
    return None if least is None else generation(snapshot, rows[least]["generation_id"])


_FIRST, _FEW = 200, 5  # of the answers that may be shown; most often the first has everything

# generation_id, answer, invention: the first word that a smaller size wrote instead; NULL where none wrote another one.
# Wrong answers only where none is right
_CANDIDATES = f"""WITH written AS MATERIALIZED (
        SELECT generation_id, prompt_id, family, n_params, prompt.rowid AS place, answer, generation.text,
            coalesce(is_right, false) AS is_right
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id)
        LEFT JOIN $kinds USING (generation_id)),
    shown AS (FROM written WHERE is_right OR NOT EXISTS (FROM written WHERE is_right)),
    smaller AS MATERIALIZED (
        SELECT prompt_id, family, n_params, regexp_extract(text, '[\\pL\\pN]{{3,}}') AS word
        FROM written SEMI JOIN (FROM written WHERE is_right) USING (prompt_id, family) WHERE NOT is_right)
    SELECT shown.generation_id, shown.answer, word AS invention
    FROM shown LEFT JOIN smaller
        ON smaller.prompt_id = shown.prompt_id AND smaller.family = shown.family
           AND smaller.n_params < shown.n_params AND word <> ''
    ORDER BY invention IS NULL, shown.place, shown.n_params, shown.generation_id, smaller.n_params
    LIMIT {_FIRST}"""  # noqa: S608 (constants)


def _lacking(snapshot: Snapshot, rows: Sequence[dict[str, Any]]) -> list[tuple[bool, bool, bool]]:
    """Of each of these answers whether no smaller size wrote what stands nowhere, whether none wrote another word, and
    whether the document that helps it most lacks the words that are expected."""
    if not rows:
        return []
    words = {row["invention"] for row in rows} - {None}
    stands = _standing(snapshot, words | {word.lower() for word in words})
    helping = _helping(snapshot, [row["generation_id"] for row in rows])
    said = {document_id: text for document_id, (_, text) in texts(snapshot, sorted(set(helping.values()))).items()}

    def lacks(row: dict[str, Any]) -> tuple[bool, bool, bool]:
        word, text = row["invention"], said.get(helping.get(row["generation_id"], ""))
        stated = text is not None and (not row["answer"] or says(text, row["answer"]))
        return word is None or bool({word, word.lower()} & stands), word is None, not stated

    return [lacks(row) for row in rows]


def _helping(snapshot: Snapshot, generation_ids: Sequence[str]) -> dict[str, str]:
    """generation_id -> the document that helps it most, by what is shown first; an older file knows none of the whole
    answer, and that of any token stands for it."""
    whole = has_column(snapshot, "answer_source", "sum_document_id")
    sql = f"""SELECT DISTINCT ON (generation_id) generation_id,
            {"sum_document_id" if whole else "best_document_id"} AS document_id
        FROM answer_source JOIN ({RUNS}) USING (run_id) WHERE generation_id IN ({listed(generation_ids)})
        ORDER BY generation_id, place"""  # noqa: S608 (constants, and question marks)
    return {row["generation_id"]: row["document_id"] for row in snapshot.rows(sql, list(generation_ids))}


def _standing(snapshot: Snapshot, words: Collection[str]) -> set[str]:
    """Which of these words any document has; all of them in a database that does not say."""
    if not has_table(snapshot, "document_word"):
        return set(words)
    asked = listed(words) or "NULL"
    sql = f"SELECT DISTINCT word FROM document_word WHERE word IN ({asked})"  # noqa: S608 (question marks)
    return {row["word"] for row in snapshot.rows(sql, sorted(words))}


@kept(32)
def generations_of(snapshot: Snapshot, prompt_ids: Sequence[str]) -> dict[str, list[Generation]]:
    """What every model wrote after these prompts: prompt_id -> generations, smallest model first."""
    sql = _GENERATION + " WHERE prompt_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY n_params, name, created_at"
    found: dict[str, list[Generation]] = {prompt_id: [] for prompt_id in prompt_ids}
    for row in snapshot.rows(sql, {"ids": list(prompt_ids)}):
        found[row["prompt_id"]].append(generation_of(row))
    return found


@kept(32)
def tokens(snapshot: Snapshot, generation_id: str) -> list[Token]:
    rows = snapshot.rows("SELECT * FROM generation_token WHERE generation_id = ? ORDER BY position", [generation_id])
    return [record(Token, numbers(row, "logp", "foil_logp")) for row in rows]


@kept(32)
def prompt_tokens(snapshot: Snapshot, tokenizer_id: str, prompt_id: str) -> list[PromptToken]:
    sql = """SELECT *, token_position AS position FROM prompt_token
        WHERE tokenizer_id = ? AND prompt_id = ? ORDER BY token_position"""
    return [record(PromptToken, row) for row in snapshot.rows(sql, [tokenizer_id, prompt_id])]


def turns_of(snapshot: Snapshot, prompt_ids: Sequence[str]) -> dict[str, list[Turn]]:
    """prompt_id -> what is said in it, and by whom."""
    sql = """SELECT prompt_id, text, prompt.kind AS of, part.* EXCLUDE (prompt_id)
        FROM prompt LEFT JOIN prompt_part AS part USING (prompt_id)
        WHERE prompt_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY prompt_id, part"""
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in snapshot.rows(sql, {"ids": list(prompt_ids)}):
        rows.setdefault(row["prompt_id"], []).append(row)
    return {
        prompt_id: prompt_turns(
            of[0]["text"] or "", of[0]["of"] or "", [record(PromptPart, row) for row in of if row["part"] is not None]
        )
        for prompt_id, of in rows.items()
    }


@kept(32)
def prompt_parts(snapshot: Snapshot, prompt_id: str) -> list[PromptPart]:
    sql = "SELECT part, kind, title, start, stop FROM prompt_part WHERE prompt_id = ? ORDER BY part"
    return [record(PromptPart, row) for row in snapshot.rows(sql, [prompt_id])]


@kept(32)
def notices(snapshot: Snapshot, generation_id: str) -> list[str]:
    """What was left out or cut so that the model could read the prompt, and what was done to a given answer."""
    sql = """SELECT prompt.notice AS of_prompt, generation.notice AS of_answer
        FROM generation JOIN prompt USING (prompt_id) WHERE generation_id = ?"""
    said = [row[name] or "" for row in snapshot.rows(sql, [generation_id]) for name in ("of_prompt", "of_answer")]
    return [line for lines in said for line in lines.splitlines()]


@kept(8)
def answers_of(snapshot: Snapshot, model_id: str, k: int) -> list[tuple[str, str, str]]:
    """(generation_id, what is asked, answer) of the first k answers of a model, in the order of the prompt file."""
    sql = f"""SELECT generation_id, {ASKED} AS asked, generation.text AS answer
        FROM generation JOIN prompt USING (prompt_id) WHERE model_id = ?
        ORDER BY prompt.rowid, generation_id LIMIT ?"""  # noqa: S608 (a constant)
    return [(row["generation_id"], row["asked"], row["answer"]) for row in snapshot.rows(sql, [model_id, k])]


def prompt_shares(snapshot: Snapshot, generation_ids: Sequence[str]) -> dict[str, float]:
    """generation_id -> mean over its tokens of the share of their bits that the prompt saved, from 0 to 1."""
    sql = f"""SELECT generation_id, avg({SHARE}) AS share
        FROM generation_token WHERE generation_id IN (SELECT unnest($ids::VARCHAR[])) AND {MEASURED}
        GROUP BY generation_id"""  # noqa: S608 (two constants)
    rows = snapshot.rows(sql, {"ids": list(generation_ids)})
    return {row["generation_id"]: row["share"] for row in rows}


@kept(2)
def prompts(snapshot: Snapshot, k: int) -> list[tuple[str, str]]:
    """(prompt_id, what is asked) of the first prompts that were answered, in the order of the prompt file."""
    sql = f"""SELECT prompt_id, {ASKED} AS text FROM prompt WHERE prompt_id IN (SELECT prompt_id FROM generation)
        ORDER BY prompt.rowid LIMIT ?"""  # noqa: S608 (a constant)
    return [(row["prompt_id"], row["text"]) for row in snapshot.rows(sql, [k])]
