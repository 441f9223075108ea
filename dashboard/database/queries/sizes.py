"""What sets the sizes of a family apart, over all prompts: overlap, concentration, topics, who is right. One run per
model."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.database.queries.answers import RUNS
from dashboard.database.queries.rows import Snapshot, has_column, has_table, kept, numbers, record
from dashboard.database.records import ReadToken
from indexer.corpus.verdict import is_right, place_of, says
from indexer.database.tables.answer_kind import bare, folded

_RUN = f"WITH runs AS ({RUNS}), chosen AS (SELECT model_id, run_id FROM runs WHERE place = 1)"  # noqa: S608 (a constant)


@dataclass(frozen=True)
class Verdict:
    """One answer to a prompt of which the expected one is known. start, stop: characters of the answer that are the
    expected one; (0, 0) where it is wrong."""

    generation_id: str
    prompt_id: str
    model_id: str
    right: bool
    start: int
    stop: int


def mean_overlaps(snapshot: Snapshot) -> list[dict[str, object]]:
    """For each pair of sizes that began their answers to the same prompt with the same token: mean overlap of their ten
    most helpful documents for it, the number of such prompts, and how many times larger the larger size is. Each pair
    by the best estimator that both have."""
    sql = f"""{_RUN} SELECT small.name AS small, large.name AS large, count(*) AS n_prompts,
            avg(overlap)::DOUBLE AS overlap, any_value(large.n_params / small.n_params)::DOUBLE AS ratio, one.method
        FROM size_overlap JOIN runs AS one ON size_overlap.run_id = one.run_id
        JOIN runs AS other ON other_run_id = other.run_id
        JOIN model AS small ON small.model_id = one.model_id JOIN model AS large ON large.model_id = other.model_id
        GROUP BY small.name, small.n_params, large.name, large.n_params, one.run_id, other.run_id, one.place, one.method
        QUALIFY row_number() OVER (PARTITION BY small.name, large.name ORDER BY one.place, one.run_id) = 1
        ORDER BY small.n_params, large.n_params, small, large"""  # noqa: S608 (a constant)
    return snapshot.rows(sql)  # type: ignore[return-value]


def concentration(snapshot: Snapshot) -> list[dict[str, object]]:
    """Mean influence at each rank up to 20 of first tokens, as a share of what these twenty carry; per size."""
    sql = f"""{_RUN} SELECT name, n_params, rank, share::DOUBLE AS share, n_tokens
        FROM rank_share JOIN chosen USING (run_id) JOIN model USING (model_id)
        ORDER BY n_params, name, rank"""  # noqa: S608 (a constant)
    return snapshot.rows(sql)  # type: ignore[return-value]


def topic_shares(snapshot: Snapshot) -> list[dict[str, object]]:
    """Share of all stored positive influence by topic of the document; per size."""
    sql = f"""{_RUN}, by_topic AS (
            SELECT name, n_params, topic, sum(helped) AS helped
            FROM topic_total JOIN chosen USING (run_id) JOIN model USING (model_id) GROUP BY ALL)
        SELECT name, n_params, topic AS value, helped / sum(helped) OVER (PARTITION BY name) AS share
        FROM by_topic ORDER BY n_params, name, share DESC"""  # noqa: S608 (a constant)
    return snapshot.rows(sql)  # type: ignore[return-value]


@kept(16)
def readings(snapshot: Snapshot, generation_id: str) -> dict[str, list[ReadToken]]:
    """model_id -> every token of an answer as that model read it; {} where no other size did."""
    if not has_table(snapshot, "reading"):
        return {}
    sql = "SELECT * FROM reading WHERE generation_id = ? ORDER BY model_id, position"
    found: dict[str, list[ReadToken]] = {}
    for row in snapshot.rows(sql, [generation_id]):
        found.setdefault(row["model_id"], []).append(record(ReadToken, numbers(row, "logp", "said_logp")))
    return found


@kept(1)
def verdicts(snapshot: Snapshot) -> list[Verdict]:
    """Every answer to a prompt that expects one, in the order of the prompt file, smaller sizes first."""
    table = snapshot.query("""SELECT generation_id, prompt_id, model_id, generation.text, kind, answer
        FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id) WHERE answer <> ''
        ORDER BY prompt.rowid, n_params, name, generation_id""")
    found = []
    for generation_id, prompt_id, model_id, text, kind, answer in zip(*table.to_pydict().values(), strict=True):
        right = is_right(answer, text, kind or "")
        at, stop = place_of(text, answer) if right else (0, 0)
        found.append(Verdict(generation_id, prompt_id, model_id, right, at, stop))
    return found


def expected_logp(snapshot: Snapshot, right: Sequence[Verdict]) -> dict[tuple[str, str], float]:
    """(prompt_id, model_id) -> log p of the expected answer, by the size that wrote it and by every size that read what
    that one wrote; given what stands before it there. `right`: one right answer for each prompt."""
    if not right:
        return {}
    others = """UNION ALL SELECT reading.model_id, prompt_id, reading.logp FROM place
        JOIN reading USING (generation_id, position)"""
    sql = f"""WITH asked AS (SELECT unnest($ids::VARCHAR[]) AS generation_id, unnest($starts::INTEGER[]) AS begins,
            unnest($stops::INTEGER[]) AS ends),
        place AS (SELECT generation_id, position, logp, model_id, prompt_id FROM generation_token
            JOIN asked USING (generation_id) JOIN generation USING (generation_id) WHERE stop > begins AND start < ends)
        SELECT prompt_id, model_id, sum(logp)::DOUBLE AS logp FROM (
            SELECT model_id, prompt_id, logp FROM place {others if has_table(snapshot, "reading") else ""})
        GROUP BY prompt_id, model_id"""  # noqa: S608 (words of ours)
    values = {
        "ids": [each.generation_id for each in right],
        "starts": [each.start for each in right],
        "stops": [each.stop for each in right],
    }
    return {(row["prompt_id"], row["model_id"]): row["logp"] for row in snapshot.rows(sql, values)}


@kept(1)
def led_by_the_answer(snapshot: Snapshot) -> dict[str, bool]:
    """generation_id -> whether the most helpful document of the whole answer says the expected one; {} in a database
    that does not hold it."""
    if not has_column(snapshot, "answer_source", "sum_document_id"):
        return {}
    sql = f"""WITH runs AS ({RUNS})
        SELECT generation_id, prompt.answer,
            CASE WHEN contains({folded("document.text")}, {folded(bare("prompt.answer"))})
                THEN document.text END AS text
        FROM answer_source JOIN runs USING (run_id) JOIN generation USING (generation_id)
        JOIN prompt USING (prompt_id) JOIN document ON document_id = sum_document_id
        WHERE place = 1 AND prompt.answer <> ''"""  # noqa: S608 (a constant)
    rows = zip(*snapshot.query(sql).to_pydict().values(), strict=True)
    return {generation_id: text is not None and says(text, answer) for generation_id, answer, text in rows}
