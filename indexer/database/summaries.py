"""Tables that are worked out from the others when a database is published: what pages ask across all answers.

On ten million rows of `influence` these questions would take a second each; here they take milliseconds. A score that
was not kept in `influence` is unknown, so sums and counts here are over kept scores. Lists named `generations` hold
rowids of `generation`: a file that never changes keeps them, and numbers are met ten times faster than ids.
"""

from indexer.database.tables.answer_kind import answer_kinds

SUMMARIES: dict[str, str] = {
    # what a document did to an answer. best: its most positive token (max score), best_rank: its smallest rank there or
    # elsewhere; worst: its most negative one; helped, hurt: sums of its positive and of its negative scores, nats;
    # answer_rank: 1 = the document with the largest best_score of the answer
    "answer_document": """
        SELECT document_id, run_id, generation_id, count(*)::INTEGER AS n_tokens,
               count(*) FILTER (rank <= 10 AND score > 0)::INTEGER AS n_top10, min(rank) AS best_rank,
               max(score) AS best_score, arg_max(position, score) AS best_position,
               min(score) AS worst_score, arg_min(position, score) AS worst_position,
               coalesce(sum(score) FILTER (score > 0), 0)::FLOAT AS helped,
               coalesce(sum(score) FILTER (score < 0), 0)::FLOAT AS hurt,
               row_number() OVER (PARTITION BY run_id, generation_id ORDER BY max(score) DESC, document_id)::INTEGER
                   AS answer_rank
        FROM influence GROUP BY document_id, run_id, generation_id
        ORDER BY document_id, run_id, best_score DESC, generation_id""",
    # the same over all answers of a run, the most often helpful first
    "document_total": """
        SELECT total.*, source, topic
        FROM (SELECT run_id, document_id, count(*)::INTEGER AS n_answers, sum(n_tokens)::INTEGER AS n_tokens,
                     sum(n_top10)::INTEGER AS n_top10, count(*) FILTER (n_top10 > 0)::INTEGER AS n_top10_answers,
                     max(best_score) AS best_score, min(worst_score) AS worst_score,
                     sum(helped)::FLOAT AS helped, sum(hurt)::FLOAT AS hurt
              FROM answer_document GROUP BY run_id, document_id) AS total JOIN document USING (document_id)
        ORDER BY run_id, n_top10 DESC, n_top10_answers DESC, document_id""",
    # the same by source and topic of the documents
    "topic_total": """
        SELECT run_id, source, topic, count(*)::INTEGER AS n_documents, sum(n_top10)::INTEGER AS n_top10,
               sum(helped)::FLOAT AS helped, sum(hurt)::FLOAT AS hurt
        FROM document_total GROUP BY run_id, source, topic
        ORDER BY run_id, source, topic""",
    # two sizes of a family that began their answers to a prompt with the same token: what share of its ten most helpful
    # documents they have in common; run_id is the smaller size's, other_run_id one of the same method
    "size_overlap": """
        WITH first_token AS (
            SELECT run_id, prompt_id, method, family, n_params, token.text,
                   list(document_id ORDER BY influence.rank) AS ids
            FROM influence JOIN run USING (run_id) JOIN model USING (model_id) JOIN generation USING (generation_id)
            JOIN generation_token AS token USING (generation_id, position)
            WHERE influence.position = 0 AND influence.rank <= 10 AND score > 0 GROUP BY ALL)
        SELECT small.run_id, large.run_id AS other_run_id, prompt_id,
               (len(list_intersect(small.ids, large.ids)) / greatest(len(small.ids), len(large.ids)))::FLOAT AS overlap
        FROM first_token AS small JOIN first_token AS large USING (prompt_id, text, method, family)
        WHERE small.n_params < large.n_params ORDER BY run_id, other_run_id, prompt_id""",
    # mean share of each rank in what the twenty most helpful documents of a first token carry
    "rank_share": """
        WITH twenty AS (
            SELECT run_id, rank, score / sum(score) OVER (PARTITION BY run_id, generation_id) AS share
            FROM influence WHERE position = 0 AND rank <= 20 AND score > 0)
        SELECT run_id, rank, avg(share)::FLOAT AS share, count(*)::INTEGER AS n_tokens
        FROM twenty GROUP BY run_id, rank ORDER BY run_id, rank""",
    # the words (letters and digits) of every document that is among the ten most helpful for a token, as they are
    # written there
    "document_word": r"""
        SELECT DISTINCT unnest(regexp_extract_all(text, '[\pL\pN]+')) AS word, document_id
        FROM document SEMI JOIN (SELECT document_id FROM influence WHERE rank <= 10 AND score > 0) USING (document_id)
        ORDER BY word, document_id""",
    # the answers for whose tokens a document is among the ten most helpful
    "helped_answer": """
        SELECT document_id, list(DISTINCT generation.rowid::INTEGER) AS generations
        FROM answer_document JOIN generation USING (generation_id) WHERE n_top10 > 0
        GROUP BY document_id ORDER BY document_id""",
    # the most helpful document of an answer's first token, that of any one of its tokens (best), and that of the whole
    # answer (sum), nats: the first of its exact ranking where there is one, else the one with the largest sum of kept
    # scores; sum_tokens of the answer's tokens are in it
    "answer_source": """
        WITH exact AS (
            SELECT run_id, generation_id, document_id, source, score, last - first + 1 AS n_tokens
            FROM span_influence JOIN span USING (generation_id, span) JOIN document USING (document_id)
            WHERE kind = 'answer' AND rank = 1)
        SELECT best.run_id, best.generation_id, first.document_id AS first_document_id, first.title AS first_title,
               best.document_id AS best_document_id, source.source AS best_source,
               coalesce(exact.document_id, summed.document_id) AS sum_document_id,
               CASE WHEN exact.document_id IS NULL THEN summed.source ELSE exact.source END AS sum_source,
               coalesce(exact.score, summed.helped + summed.hurt)::FLOAT AS sum_score,
               coalesce(exact.n_tokens, summed.n_tokens)::INTEGER AS sum_tokens
        FROM answer_document AS best JOIN document AS source USING (document_id)
        JOIN (SELECT answer_document.*, source FROM answer_document JOIN document USING (document_id)
              QUALIFY row_number() OVER (
                  PARTITION BY run_id, generation_id ORDER BY helped + hurt DESC, document_id) = 1) AS summed
            ON summed.run_id = best.run_id AND summed.generation_id = best.generation_id
        LEFT JOIN (SELECT run_id, generation_id, document_id, title FROM influence JOIN document USING (document_id)
                   WHERE position = 0 AND rank = 1) AS first
            ON first.run_id = best.run_id AND first.generation_id = best.generation_id
        LEFT JOIN exact ON exact.run_id = best.run_id AND exact.generation_id = best.generation_id
        WHERE best.answer_rank = 1 ORDER BY best.generation_id, best.run_id""",
    # what may be asked of an answer. is_right: it is the one that the prompt file expects; sizes_disagree: two sizes of
    # a family wrote other words after its prompt, and not all of them are right; estimators_disagree: they put
    # different documents first for the whole answer; word_for_word: one passage of a training text has all of its
    # tokens; NULL where it is not known
    "answer_kind": answer_kinds(),
    # every token that was generated, as it is written there, and the answers with it
    "token_answer": """
        SELECT token.text, list(DISTINCT generation.rowid::INTEGER) AS generations
        FROM generation_token AS token JOIN generation USING (generation_id) GROUP BY token.text ORDER BY token.text""",
    # what drives a generated token over all of its places in the answers of a run: the documents that are among the ten
    # most helpful of any, with the sum of their scores there, nats. token: as it is written, but for spaces at its ends
    "token_driver": """
        SELECT run_id, trim(written.text) AS token, document_id, sum(score::DOUBLE)::FLOAT AS score,
               count(*)::INTEGER AS n_places
        FROM influence JOIN generation_token AS written USING (generation_id, position)
        WHERE rank <= 10 AND score > 0 GROUP BY ALL
        ORDER BY run_id, token, score DESC, document_id""",
    # all tokens of a document in one row, in their order; of a corpus whose documents lie beside the database, only the
    # documents for which replacements are stored
    "token_texts": """
        SELECT tokenizer_id, document_id, list(text ORDER BY token_position) AS texts
        FROM document_token GROUP BY tokenizer_id, document_id ORDER BY tokenizer_id, document_id""",
    # the answers in which a head or a kept neuron has its largest total effects, each by its strongest token: twenty of
    # each component. effect: nats, as in component_effect
    "component_answer": """
        WITH each AS (
            SELECT generation_id, position, 'head' AS kind, unnest(total_heads) AS effect,
                   generate_subscripts(total_heads, 1) - 1 AS place FROM component_effect
            UNION ALL
            SELECT generation_id, position, 'neuron', unnest(total_neurons), unnest(neurons) FROM component_effect),
        strongest AS (
            SELECT model_id, kind, place, generation_id, arg_max(position, abs(effect)) AS position,
                   arg_max(effect, abs(effect)) AS effect
            FROM each JOIN generation USING (generation_id) GROUP BY ALL)
        SELECT model_id, kind, (place // width)::INTEGER AS depth, (place % width)::INTEGER AS number, generation_id,
               position, effect
        FROM (SELECT strongest.*, CASE kind WHEN 'head' THEN n_heads ELSE n_neurons END AS width
              FROM strongest JOIN component_model USING (model_id)
              QUALIFY row_number() OVER (
                  PARTITION BY model_id, kind, place ORDER BY abs(effect) DESC, generation_id) <= 20)
        ORDER BY model_id, kind, depth, number, abs(effect) DESC, generation_id""",
    # the documents of which most passes through a component over all stored tokens, twenty of each. score: the sum of
    # their component scores, size: that of their sizes, nats; n_tokens: for which they were kept. Of a neuron they are
    # kept only where it is among the strongest
    "component_document": """
        WITH numbered AS (
            SELECT document_id, row_number() OVER (ORDER BY document_id)::INTEGER AS document
            FROM (SELECT DISTINCT document_id FROM component_taught)),
        taught AS (
            SELECT run.rowid::INTEGER AS run, document, head_scores, kv_head_scores, neurons, neuron_scores
            FROM component_taught JOIN run USING (run_id) JOIN numbered USING (document_id)),
        each AS (
            SELECT run, document, 'head' AS kind, unnest(head_scores) AS score,
                   generate_subscripts(head_scores, 1)::INTEGER - 1 AS place FROM taught
            UNION ALL
            SELECT run, document, 'kv_head', unnest(kv_head_scores),
                   generate_subscripts(kv_head_scores, 1)::INTEGER - 1 FROM taught
            UNION ALL
            SELECT run, document, 'neuron', unnest(neuron_scores), unnest(neurons) FROM taught),
        summed AS (
            SELECT run, kind, place, document, sum(score)::FLOAT AS score, sum(abs(score))::FLOAT AS size,
                   count(*)::INTEGER AS n_tokens
            FROM each GROUP BY run, kind, place, document
            QUALIFY row_number() OVER (PARTITION BY run, kind, place ORDER BY sum(abs(score)) DESC, document) <= 20)
        SELECT run_id, kind, (place // width)::INTEGER AS depth, (place % width)::INTEGER AS number, document_id, score,
               size, n_tokens
        FROM (SELECT summed.*, run.run_id, model_id,
                     CASE kind WHEN 'head' THEN n_heads WHEN 'kv_head' THEN n_kv_heads ELSE n_neurons END AS width
              FROM summed JOIN run ON run.rowid = summed.run JOIN component_model USING (model_id)) AS placed
        JOIN numbered ON numbered.document = placed.document
        ORDER BY run_id, kind, depth, number, size DESC, document_id""",
    # of each document the plausible replacement of one of its tokens that would push most towards one token of an
    # answer (generation_id, position). influence: of the replacement, probability: the model's, where it stands;
    # score: the document's own influence on the same token; nats. n_targets: tokens for which replacements are stored
    "document_relabel": """
        WITH best AS (
            SELECT run_id, document_id, generation_id, position, token_position, texts[1] AS instead,
                   influences[1] AS influence, probabilities[1] AS probability
            FROM relabel WHERE probabilities[1] IS NOT NULL),
        counted AS (SELECT run_id, document_id, count(DISTINCT (generation_id, position))::INTEGER AS n_targets
                    FROM best GROUP BY run_id, document_id)
        SELECT best.run_id, best.document_id, best.generation_id, best.position, token_position, instead,
               best.influence, probability, own.score, n_targets
        FROM (SELECT * FROM best WHERE isfinite(influence) AND influence > 0
              QUALIFY row_number() OVER (PARTITION BY run_id, document_id
                  ORDER BY influence DESC, generation_id, position, token_position) = 1) AS best
        JOIN counted USING (run_id, document_id)
        LEFT JOIN influence AS own USING (run_id, generation_id, position, document_id)
        ORDER BY best.run_id, best.influence DESC, best.document_id""",
    # what a document did to the words of an answer, and to all of it (kind: word, answer), of the spans for which its
    # score was kept; best: its most positive one, worst: its most negative one, each with its place among the documents
    # that the answer's spans are scored on
    "document_span": """
        SELECT document_id, run_id, kind, generation_id, count(*)::INTEGER AS n_spans,
               max(score) AS best_score, arg_max(span, score) AS best_span, arg_max(rank, score) AS best_rank,
               min(score) AS worst_score, arg_min(span, score) AS worst_span, arg_min(rank, score) AS worst_rank
        FROM span_influence JOIN span USING (generation_id, span)
        GROUP BY document_id, run_id, kind, generation_id
        ORDER BY document_id, run_id, kind, best_score DESC, generation_id""",
    # a document over the words of a run's answers, which leave out punctuation and what ends an answer. n_top10: words
    # of which it is among the ten most helpful; n_top10_answers: answers with such a word; weight: the sum over these
    # words of its share in what the ten carry
    "document_words": """
        WITH ten AS (
            SELECT run_id, generation_id, document_id,
                   score / sum(score) OVER (PARTITION BY run_id, generation_id, span) AS share
            FROM span_influence JOIN span USING (generation_id, span) WHERE kind = 'word' AND rank <= 10 AND score > 0)
        SELECT counted.*, source, topic
        FROM (SELECT run_id, document_id, count(*)::INTEGER AS n_top10,
                     count(DISTINCT generation_id)::INTEGER AS n_top10_answers, sum(share)::FLOAT AS weight
              FROM ten GROUP BY run_id, document_id) AS counted JOIN document USING (document_id)
        ORDER BY run_id, weight DESC, document_id""",
    # what the words of an answer owe to a whole group of documents together, of all corpora, nats. rank: 1 = the most
    # helpful of n_groups of a column; helped, hurt: the word (tokens, characters) with the largest and the smallest
    # sum; error: the sum of the tokens' standard errors, NULL where all are exact
    "answer_group": """
        WITH word AS (
            SELECT generation_id, first, last, start, stop FROM span WHERE kind = 'word'
            UNION ALL
            SELECT generation_id, position, position, start, stop FROM generation_token
            WHERE generation_id NOT IN (SELECT generation_id FROM span WHERE kind = 'word')),
        each AS (
            SELECT run_id, generation_id, position, column_name, coalesce(value, '') AS value,
                   sum(score::DOUBLE) AS score, sum(error) AS error
            FROM group_influence WHERE column_name <> '' GROUP BY ALL),
        of_word AS (
            SELECT run_id, generation_id, column_name, value, sum(score) AS score,
                   {'first': first, 'last': last, 'start': any_value(start), 'stop': any_value(stop)} AS place
            FROM each JOIN word USING (generation_id) WHERE position BETWEEN first AND last
            GROUP BY run_id, generation_id, column_name, value, first, last),
        best AS (
            SELECT run_id, generation_id, column_name, value, max(score) AS helped_score, min(score) AS hurt_score,
                   arg_max(place, score) AS helped, arg_min(place, score) AS hurt
            FROM of_word GROUP BY run_id, generation_id, column_name, value),
        whole AS (
            SELECT run_id, generation_id, column_name, value, sum(score) AS score, sum(error) AS error
            FROM each LEFT JOIN (SELECT generation_id, last FROM span WHERE kind = 'answer') USING (generation_id)
            WHERE position <= coalesce(last, position) GROUP BY ALL)
        SELECT run_id, generation_id, column_name, value, score::FLOAT AS score, error::FLOAT AS error,
               (row_number() OVER ranking)::INTEGER AS rank,
               (count(*) OVER (PARTITION BY run_id, generation_id, column_name))::INTEGER AS n_groups,
               helped.first AS helped_first, helped.last AS helped_last, helped.start AS helped_start,
               helped.stop AS helped_stop, helped_score::FLOAT AS helped_score, hurt.first AS hurt_first,
               hurt.last AS hurt_last, hurt.start AS hurt_start, hurt.stop AS hurt_stop,
               hurt_score::FLOAT AS hurt_score
        FROM whole JOIN best USING (run_id, generation_id, column_name, value)
        WINDOW ranking AS (PARTITION BY run_id, generation_id, column_name ORDER BY score DESC, value)
        ORDER BY column_name, value, run_id, score DESC, generation_id""",
}

# in place of these where the documents lie beside the database, which then holds of them what is shown
OF_FEW = {
    "token_texts": """
        SELECT tokenizer_id, document_id, list(text ORDER BY token_position) AS texts
        FROM document_token SEMI JOIN relabel USING (document_id)
        GROUP BY tokenizer_id, document_id ORDER BY tokenizer_id, document_id""",
}

# those that files of this version may lack: they were published before there was anything to say in them
LATER_SUMMARIES = frozenset(
    {
        "answer_kind",
        "component_answer",
        "component_document",
        "document_relabel",
        "answer_group",
        "document_span",
        "document_words",
        "token_driver",
    }
)
