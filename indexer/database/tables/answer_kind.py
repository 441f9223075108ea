"""Kinds of answers that pages tell apart, as one question over all of them."""

from indexer.corpus.verdict import ENOUGH, MARKS, QUOTES

_BLANK = r"\t-\r\x1c-\x1f\x{85}\p{Z}"  # what Python's `strip` takes away
_QUOTES = QUOTES.replace("'", "''")
_ENDS = f"'^[{_BLANK}]+|[{_BLANK}]+$', '', 'g'"
_AROUND = f"'^[{_BLANK}{_QUOTES}]+|[{_BLANK}{_QUOTES}{MARKS}]+$', '', 'g'"


def folded(text: str) -> str:
    """`indexer.corpus.verdict.folded` of an expression."""
    return f"replace(lower({text}), 'ς', 'σ')"


def bare(text: str) -> str:
    """`indexer.corpus.verdict.bare` of an expression."""
    return f"coalesce(nullif({_inside(text)}, ''), {_stripped(text)})"


def _inside(text: str) -> str:
    return f"regexp_replace({text}, {_AROUND})"


def _stripped(text: str) -> str:
    return f"regexp_replace({text}, {_ENDS})"


def answer_kinds(estimators: bool = True, verbatim: bool = True) -> str:
    """generation_id, is_right, sizes_disagree, estimators_disagree, word_for_word; NULL where it is not known.

    estimators: whether the database has answer_source.sum_document_id; verbatim: whether it has that table
    """
    disagree = "generation_id IN (FROM disputed)" if estimators else "NULL::BOOLEAN"
    copied = "CASE WHEN EXISTS (FROM verbatim) THEN generation_id IN (FROM copied) END" if verbatim else "NULL::BOOLEAN"
    tables = [_SAID, _JUDGED, _DISAGREED, *([_DISPUTED] if estimators else []), *([_COPIED] if verbatim else [])]
    return f"""
        WITH {", ".join(tables)}
        SELECT generation_id, is_right, (prompt_id, family) IN (FROM disagreed) AS sizes_disagree,
               {disagree} AS estimators_disagree, {copied} AS word_for_word
        FROM judged ORDER BY generation_id"""  # noqa: S608 (constants)


# the words of an answer: neither case nor punctuation makes two sizes disagree
_SAID = rf"""said AS (
            SELECT generation_id, prompt_id, family, coalesce(prompt.kind, '') AS kind, coalesce(answer, '') AS given,
                   {folded(bare("coalesce(answer, '')"))} AS expected,
                   {folded(_stripped("generation.text"))} AS written,
                   CASE WHEN {_inside("coalesce(answer, '')")} = '' THEN written
                       ELSE {folded(bare("generation.text"))} END AS begun,
                   array_to_string(regexp_extract_all(lower(generation.text), '[\pL\pN\pM]+'), ' ') AS words
            FROM generation JOIN prompt USING (prompt_id) JOIN model USING (model_id))"""  # noqa: S608 (constants)

# `indexer.corpus.verdict.is_right`, of a prompt that expects an answer
_JUDGED = rf"""judged AS (
            SELECT *, CASE WHEN given = '' THEN NULL
                WHEN expected = '' THEN false
                WHEN kind <> 'completion' AND contains(written, expected) AND regexp_matches(written,
                    '(?:^|[^\pL\pN_])' || regexp_escape(expected) || '(?:[^\pL\pN_]|$)') THEN true
                WHEN starts_with(begun, expected)
                    THEN NOT regexp_matches(substr(begun, length(expected) + 1, 1), '[\pL\pN]')
                ELSE length(written) >= {ENOUGH} AND starts_with(expected, begun) END AS is_right
            FROM said)"""  # noqa: S608 (constants)

# prompts after which two sizes of a family wrote other words, unless every size is right
_DISAGREED = """disagreed AS (
            SELECT prompt_id, family FROM judged GROUP BY prompt_id, family
            HAVING count(DISTINCT words) > 1 AND count(*) FILTER (is_right) < count(*))"""

# another document stands first for the whole answer
_DISPUTED = """disputed AS (
            SELECT generation_id FROM answer_source GROUP BY generation_id
            HAVING count(DISTINCT sum_document_id) > 1)"""

# one passage of the training texts has all tokens of the text; the token that ends an answer spells nothing
_COPIED = """copied AS (
            SELECT generation_id FROM verbatim JOIN (
                SELECT generation_id, max(position) AS text_ends FROM generation_token WHERE stop > start
                GROUP BY generation_id) USING (generation_id)
            WHERE first = 0 AND last >= text_ends)"""
