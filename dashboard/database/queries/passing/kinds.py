"""Kinds of answers that Runs tells apart, as conditions on a row of `answer_kind`."""

from dashboard.database.queries.rows import Snapshot, has_column, has_table
from indexer.database.tables.answer_kind import answer_kinds

KINDS = {
    "right": "is_right",
    "wrong": "NOT is_right",
    "sizes": "sizes_disagree",
    "estimators": "estimators_disagree",
    "verbatim": "word_for_word",
    "new": "NOT word_for_word",
}
COLUMNS = {"estimators": "estimators_disagree", "verbatim": "word_for_word", "new": "word_for_word"}  # may be unknown


def kinds_of_answers(snapshot: Snapshot) -> str:
    """The table `answer_kind`, or what would be in it, in brackets: an older file does without."""
    if has_table(snapshot, "answer_kind"):
        return "answer_kind"
    estimators = has_column(snapshot, "answer_source", "sum_document_id")
    return f"({answer_kinds(estimators, has_table(snapshot, 'verbatim'))})"
