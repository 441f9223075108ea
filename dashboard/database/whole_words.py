"""Where what a reader types must begin and end: at the edge of a word, if its script has any. Pure."""

import re

from indexer.search.words import is_unspaced

_NO_LETTER = r"[^\pL\pN\pM]"  # as RE2 writes it, which DuckDB reads patterns by


_FAULTS = {  # what RE2 says of a pattern that it cannot read
    "missing )": "a ( has no )",
    "unexpected )": "a ) has no (",
    "missing ]": "a [ has no ]",
    "no argument for repetition operator": "nothing stands before a *, + or ? that could be repeated",
    "bad repetition operator": "two signs of repetition follow each other",
    "invalid repetition size": "a repetition is too large",
    "invalid escape sequence": "a \\ stands before a letter that means nothing with it",
    "trailing \\": "nothing follows the last \\",
    "invalid character class range": "a range as a-z runs backwards",
    "invalid perl operator": "(? begins what patterns here do not know",
    "pattern too large": "it is too large",
}


def pattern_fault(said: str) -> str:
    """What is wrong with a pattern, in the words of whoever typed it.    said: what the database says"""
    return next((words for begins, words in _FAULTS.items() if begins in said), "it cannot be read as a pattern")


def database_pattern(typed: str, match: str) -> str:
    """A pattern for DuckDB, whatever the case: `word` ends at an edge, `prefix` only begins at one."""
    begins, ends = _edges(typed.strip(), match)
    left, right = f"(?:^|{_NO_LETTER})" if begins else "", f"(?:{_NO_LETTER}|$)" if ends else ""
    return f"(?i){left}{re.escape(typed.strip())}{right}"


def python_pattern(typed: str, match: str) -> str:
    """The same for Python; of a prefix the whole word."""
    begins, ends = _edges(typed.strip(), match)
    left, right = r"(?<!\w)" if begins else "", r"(?!\w)" if ends else (r"\w*" if match == "prefix" else "")
    return f"(?i){left}{re.escape(typed.strip())}{right}"


def _edges(said: str, match: str) -> tuple[bool, bool]:
    return _joins(said[:1]), match == "word" and _joins(said[-1:])


def _joins(sign: str) -> bool:
    """Whether another letter beside it would make it part of a longer word."""
    return sign.isalnum() and not is_unspaced(sign)
