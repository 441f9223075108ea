"""Where what a reader types must begin and end: at the edge of a word, if its script has any. Pure."""

import re

from indexer.search.words import is_unspaced

LETTER, _NO_LETTER = r"[\pL\pN\pM]", r"[^\pL\pN\pM]"  # as RE2 writes it, which DuckDB reads patterns by
_PYTHON_LETTER = r"[^\W_]|[\u0300-\u036f]"  # of a word, as Python writes it


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
    """The same for Python; of a prefix the whole word, and a token as it is written."""
    if match == "literal":
        return rf"(?<!\w){re.escape(typed.strip())}(?!\w)"
    begins, ends = _edges(typed.strip(), match)
    left = f"(?<!{_PYTHON_LETTER})" if begins else ""
    right = f"(?!{_PYTHON_LETTER})" if ends else (f"(?:{_PYTHON_LETTER})*" if match == "prefix" else "")
    return f"(?i){left}{re.escape(typed.strip())}{right}"


def times_in(text: str, typed: str, match: str) -> int:
    """How often it stands in a text."""
    return len(re.findall(python_pattern(typed, match), text))


def pieces_of(text: str, typed: str, match: str = "word") -> list[tuple[str, bool]]:
    """The text in pieces: those where it stands, and those between."""
    pieces, at = [], 0
    for found in re.finditer(python_pattern(typed, match), text):
        pieces += [(text[at : found.start()], False), (found[0], True)]
        at = found.end()
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def _edges(said: str, match: str) -> tuple[bool, bool]:
    return _joins(said[:1]), match == "word" and _joins(said[-1:])


def _joins(sign: str) -> bool:
    """Whether another letter beside it would make it part of a longer word."""
    return sign.isalnum() and not is_unspaced(sign)
