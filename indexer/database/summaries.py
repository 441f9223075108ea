"""Tables that are worked out from the others when a database is published: what pages ask across all answers.

On ten million rows of `influence` these questions would take a second each; here they take milliseconds. A pair that
was not kept in `influence` is unknown, so sums and counts here are over kept pairs.
"""

SUMMARIES: dict[str, str] = {
    # what a document did to an answer. best: its most positive token (max score), best_rank: its smallest rank there or
    # elsewhere; worst: its most negative one; helped, hurt: sums of its positive and of its negative scores, nats;
    # answer_rank: 1 = the document with the largest best_score of the answer
    "answer_document": """
        SELECT document_id, run_id, generation_id, count(*)::INTEGER AS n_tokens,
               count(*) FILTER (rank <= 10)::INTEGER AS n_top10, min(rank) AS best_rank,
               max(score) AS best_score, arg_max(position, score) AS best_position,
               min(score) AS worst_score, arg_min(position, score) AS worst_position,
               coalesce(sum(score) FILTER (score > 0), 0)::FLOAT AS helped,
               coalesce(sum(score) FILTER (score < 0), 0)::FLOAT AS hurt,
               row_number() OVER (PARTITION BY run_id, generation_id ORDER BY max(score) DESC, document_id)::INTEGER
                   AS answer_rank
        FROM influence GROUP BY document_id, run_id, generation_id
        ORDER BY document_id, run_id, best_score DESC, generation_id""",
    # the same over all answers of a run
    "document_total": """
        SELECT run_id, document_id, count(*)::INTEGER AS n_answers, sum(n_tokens)::INTEGER AS n_tokens,
               sum(n_top10)::INTEGER AS n_top10, max(best_score) AS best_score, min(worst_score) AS worst_score,
               sum(helped)::FLOAT AS helped, sum(hurt)::FLOAT AS hurt
        FROM answer_document GROUP BY run_id, document_id
        ORDER BY run_id, helped DESC, document_id""",
    # the words (letters and digits) of every document, as they are written there
    "document_word": r"""
        SELECT DISTINCT unnest(regexp_extract_all(text, '[\pL\pN]+')) AS word, document_id
        FROM document ORDER BY word, document_id""",
}
