"""What sets the sizes of a family apart, over all prompts: overlap, concentration, topics. One run per model."""

from dashboard.queries.rows import Snapshot

_RUN = """WITH chosen AS (
    SELECT model_id, first(run_id ORDER BY method <> 'ekfac', run_id) AS run_id FROM run GROUP BY model_id)"""


def mean_overlaps(snapshot: Snapshot) -> list[dict[str, object]]:
    """For each pair of sizes that began their answers to the same prompt with the same token: mean overlap of their ten
    most helpful documents for it, and the number of such prompts."""
    sql = f"""{_RUN}, best AS (
            SELECT model.name, model.n_params, prompt_id, token.text,
                   list(document_id ORDER BY influence.rank) AS ids
            FROM influence JOIN chosen USING (run_id) JOIN model USING (model_id)
            JOIN generation USING (generation_id) JOIN generation_token AS token USING (generation_id, position)
            WHERE influence.position = 0 AND influence.rank <= 10 AND score > 0 GROUP BY ALL)
        SELECT small.name AS small, large.name AS large, count(*) AS n_prompts,
               avg(len(list_intersect(small.ids, large.ids)) / greatest(len(small.ids), len(large.ids))) AS overlap
        FROM best AS small JOIN best AS large USING (prompt_id, text)
        WHERE small.n_params < large.n_params GROUP BY ALL
        ORDER BY any_value(small.n_params), any_value(large.n_params)"""  # noqa: S608 (a constant)
    return snapshot.rows(sql)  # type: ignore[return-value]


def concentration(snapshot: Snapshot) -> list[dict[str, object]]:
    """Mean influence at each rank up to 20 of first tokens, as a share of what these twenty carry; per size."""
    sql = f"""{_RUN}, twenty AS (
            SELECT *, sum(score) OVER (PARTITION BY run_id, generation_id, position) AS total
            FROM influence JOIN chosen USING (run_id)
            WHERE influence.position = 0 AND influence.rank <= 20 AND score > 0)
        SELECT model.name, n_params, twenty.rank, avg(score / total) AS share, count(*) AS n_tokens
        FROM twenty JOIN model USING (model_id) GROUP BY ALL ORDER BY n_params, name, rank"""  # noqa: S608 (a constant)
    return snapshot.rows(sql)  # type: ignore[return-value]


def topic_shares(snapshot: Snapshot) -> list[dict[str, object]]:
    """Share of all stored positive influence by topic of the document; per size."""
    sql = f"""{_RUN}, by_topic AS (
            SELECT model.name, n_params, document.topic, sum(helped) AS helped
            FROM document_total JOIN chosen USING (run_id) JOIN model USING (model_id)
            JOIN document USING (document_id) GROUP BY ALL)
        SELECT name, n_params, topic, helped / sum(helped) OVER (PARTITION BY name) AS share
        FROM by_topic ORDER BY n_params, name, share DESC"""  # noqa: S608 (a constant)
    return snapshot.rows(sql)  # type: ignore[return-value]
