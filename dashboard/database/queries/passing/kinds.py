"""Kinds of answers that Runs tells apart, as conditions on a row of `answer_kind`."""

KINDS = {
    "right": "is_right",
    "wrong": "NOT is_right",
    "sizes": "sizes_disagree",
    "estimators": "estimators_disagree",
    "verbatim": "word_for_word",
    "new": "NOT word_for_word",
}
COLUMNS = {"estimators": "estimators_disagree", "verbatim": "word_for_word", "new": "word_for_word"}  # may be unknown
