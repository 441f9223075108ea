"""Whole groups of documents: what a source or a topic does to an answer, and which answers owe most to it."""

from collections.abc import Sequence

from dashboard.database.group_records import Group, GroupScore, GroupShare, Moved, Owed
from dashboard.database.queries.rows import ASKED, Snapshot, has_table, kept, record

MOST = 500  # groups of a column that are offered by name
EVERY = 2**62

# what every answer owes to one group, by the run that `answers.runs` names first, which groups are of
OWED_TO = """SELECT answer_group.* FROM answer_group JOIN run USING (run_id)
    WHERE column_name = $column AND value = $value
    QUALIFY row_number() OVER (PARTITION BY generation_id ORDER BY method <> 'ekfac', run_id) = 1"""


@kept(2)
def groups(snapshot: Snapshot, most: int = MOST) -> list[Group]:
    """The `most` largest groups of each column, the largest first, over all corpora; [] where none is computed."""
    if not has_table(snapshot, "answer_group"):
        return []
    sql = """SELECT * FROM (
            SELECT column_name, coalesce(value, '') AS value, sum(n_documents)::BIGINT AS n_documents FROM corpus_group
            WHERE column_name IN (SELECT DISTINCT column_name FROM answer_group) GROUP BY ALL)
        QUALIFY row_number() OVER (PARTITION BY column_name ORDER BY n_documents DESC, value) <= ?
        ORDER BY column_name, n_documents DESC, value"""
    return [record(Group, row) for row in snapshot.rows(sql, [most])]


@kept(16)
def answer_groups(snapshot: Snapshot, run_id: str, generation_id: str, first: int, last: int) -> list[GroupScore]:
    """Every whole group on the tokens first..last together, the most helpful of a column first; [] where they are not
    computed. error: the sum of the tokens' standard errors, which that of their sum does not exceed."""
    if not has_table(snapshot, "group_influence"):
        return []
    sql = """SELECT corpus, column_name, value, coalesce(n_documents, 0) AS n_documents, summed.score, summed.error
        FROM (SELECT corpus, column_name, value, sum(score) AS score, sum(error) AS error FROM group_influence
              WHERE run_id = $run AND generation_id = $generation AND position BETWEEN $first AND $last
              GROUP BY ALL HAVING count(*) = $last - $first + 1) AS summed
        LEFT JOIN corpus_group USING (corpus, column_name, value)
        ORDER BY column_name, score DESC, corpus, value"""
    rows = snapshot.rows(sql, {"run": run_id, "generation": generation_id, "first": first, "last": last})
    return [record(GroupScore, row) for row in rows]


def owed(snapshot: Snapshot, column: str, value: str, generation_ids: Sequence[str]) -> dict[str, Owed]:
    """generation_id -> what the answer owes to one group, and the words of it that owe most and least."""
    if not has_table(snapshot, "answer_group"):
        return {}
    sql = f"""SELECT owed.*, substr(text, helped_start + 1, helped_stop - helped_start) AS helped_word,
            substr(text, hurt_start + 1, hurt_stop - hurt_start) AS hurt_word, {_logp()} AS logp,
            {_logp("helped")} AS helped_logp, {_logp("hurt")} AS hurt_logp
        FROM ({OWED_TO}) AS owed JOIN generation USING (generation_id)
        WHERE generation_id IN (SELECT unnest($ids::VARCHAR[]))"""  # noqa: S608 (a constant)
    rows = snapshot.rows(sql, {"column": column, "value": value, "ids": list(generation_ids)})
    return {row["generation_id"]: record(Owed, row) for row in rows}


def _logp(of: str = "") -> str:
    """log p of an answer, or of the word of it that is helped or hurt."""
    word = f" AND position BETWEEN {of}_first AND {of}_last" if of else ""
    return f"""(SELECT sum(logp) FROM generation_token AS token
        WHERE token.generation_id = owed.generation_id{word})"""  # noqa: S608 (words of ours)


@kept(8)
def group_shares(snapshot: Snapshot, column: str) -> list[GroupShare]:
    """Of each size the share of every group of a column in what all groups of it push towards answers, smallest size
    first; an answer that a group pushes away from counts as nothing there. [] where groups are not computed."""
    if not has_table(snapshot, "answer_group"):
        return []
    rows = snapshot.rows(
        """WITH chosen AS (
               SELECT model_id, first(run_id ORDER BY method <> 'ekfac', run_id) AS run_id FROM run GROUP BY model_id)
           SELECT model.name, value, helped / nullif(sum(helped) OVER (PARTITION BY model_id), 0) AS share
           FROM (SELECT run_id, value, sum(greatest(score, 0)) AS helped FROM answer_group WHERE column_name = ?
                 GROUP BY run_id, value) JOIN chosen USING (run_id) JOIN model USING (model_id)
           ORDER BY family, n_params, model.name, share DESC, value""",
        [column],
    )
    return [record(GroupShare, row) for row in rows if row["share"] is not None]


def moved_by(snapshot: Snapshot, run_id: str, column: str, value: str, unit: str) -> list[Moved]:
    """What a group did to every `answer`, `word` or `token` of a run, the most helped first.

    unit: one of these three; a word is the sum over its tokens. [] where groups, or words, are not computed.
    """
    tables = ["group_influence", "span"] if unit == "word" else ["group_influence"]
    if not all(has_table(snapshot, table) for table in tables):
        return []
    sql = f"""WITH moved AS (
            SELECT generation_id, position, sum(score) AS score, sum(error) AS error FROM group_influence
            WHERE run_id = $run AND column_name = $column AND value = $value GROUP BY generation_id, position),
        of_unit AS ({_UNITS[unit]})
        SELECT of_unit.generation_id, first, last, score, error, {ASKED} AS prompt, generation.text AS answer,
            substr(generation.text, begins.start + 1, ends.stop - begins.start) AS moved,
            (SELECT sum(logp) FROM generation_token AS token WHERE token.generation_id = of_unit.generation_id
             AND token.position BETWEEN of_unit.first AND of_unit.last) AS logp
        FROM of_unit JOIN generation USING (generation_id) JOIN prompt USING (prompt_id)
        JOIN generation_token AS begins ON begins.generation_id = of_unit.generation_id AND begins.position = first
        JOIN generation_token AS ends ON ends.generation_id = of_unit.generation_id AND ends.position = last
        ORDER BY score DESC, of_unit.generation_id, first"""  # noqa: S608 (words of ours only)
    rows = snapshot.rows(sql, {"run": run_id, "column": column, "value": value})
    return [record(Moved, row) for row in rows]


_UNITS = {
    "token": "SELECT generation_id, position AS first, position AS last, score, error FROM moved",
    "word": """SELECT generation_id, first, last, sum(score) AS score, sum(error) AS error
        FROM moved JOIN span USING (generation_id) WHERE kind = 'word' AND position BETWEEN first AND last
        GROUP BY generation_id, first, last""",
    "answer": """SELECT generation_id, min(position) AS first, max(position) AS last, sum(score) AS score,
        sum(error) AS error FROM moved GROUP BY generation_id""",
}
