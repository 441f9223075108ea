"""Whether an answer is the one that the prompt file expects: one rule, for the summary of a build and for the pages.

Case is of no matter, nor are white space and quotation marks around the words, nor the mark that ends a sentence. The
same in SQL is in `indexer.database.tables.answer_kind`.
"""

import re

ENOUGH = 30  # characters; an answer that ends sooner was not cut off by the limit of new tokens
QUOTES = "\"'`´‘’‚‛“”„‟«»‹›「」『』"
MARKS = ".,:;!?…。．，、：；！？،؛؟।"  # that end a sentence, or a part of one
_BLANK = "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(
    map(chr, range(0x2000, 0x200B))
)


def folded(text: str) -> str:
    """Without case, character by character, so that places hold."""
    return text.replace("İ", "i").lower().replace("ς", "σ")  # the one letter that becomes two; the one with two forms


def bare(text: str) -> str:
    """Without what stands around the words; all but the white space where there is nothing else."""
    return _inside(text) or text.strip()


def _inside(text: str) -> str:
    return text.lstrip(_BLANK + QUOTES).rstrip(_BLANK + QUOTES + MARKS)


def is_right(expected: str, written: str, kind: str = "completion") -> bool:
    """What was written begins with what is expected and goes on with another word, or not at all. Who is asked a
    question (kind chat or retrieval) may answer in a sentence: then the expected words stand anywhere in it.

    An expected answer may be longer than the limit of new tokens lets a model write: then all that was written must be
    its beginning, and be at least ENOUGH characters long.
    """
    marks = not _inside(expected)  # then these are what is expected
    expected, written = folded(bare(expected)), folded(written.strip())
    if not expected:
        return False
    if kind != "completion" and says(written, expected):
        return True
    begun = written if marks else folded(bare(written))
    if begun.startswith(expected):
        return not begun[len(expected) : len(expected) + 1].isalnum()
    return len(written) >= ENOUGH and expected.startswith(begun)


def says(text: str, expected: str) -> bool:
    """Whether the expected words stand anywhere in a text, as words of their own."""
    return _found(text, bare(expected)) is not None


def place_of(text: str, expected: str) -> tuple[int, int]:
    """[start, stop) of the expected words in an answer that is right; what was written of them where it was cut off."""
    found = _found(text, expected.strip()) or _found(text, bare(expected))
    if found:
        return found.span()
    start = len(text) - len(text.lstrip(_BLANK + QUOTES))
    return start, min(start + len(bare(expected)), len(text))


def _found(text: str, words: str) -> re.Match[str] | None:
    return re.search(rf"(?<!\w){re.escape(folded(words))}(?!\w)", folded(text))
