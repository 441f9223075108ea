"""What sets the sizes of a family apart, over all prompts: overlap, concentration, topics. One run per model."""

from dashboard.database.queries.answers import RUNS
from dashboard.database.queries.rows import Snapshot, has_table, kept, numbers, record
from dashboard.database.records import ReadToken

_RUN = f"WITH runs AS ({RUNS}), chosen AS (SELECT model_id, run_id FROM runs WHERE place = 1)"  # noqa: S608 (a constant)


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
