"""Whether an answer is the one that the prompt file expects: one rule, for the summary of a build and for the pages."""

import re

ENOUGH = 30  # characters; an answer that ends sooner was not cut off by the limit of new tokens


def is_right(expected: str, written: str, kind: str = "completion") -> bool:
    """What was written begins with what is expected and goes on with another word, or not at all. Who is asked a
    question (kind chat or retrieval) may answer in a sentence: then the expected words stand anywhere in it.

    An expected answer may be longer than the limit of new tokens lets a model write: then all that was written must be
    its beginning, and be at least ENOUGH characters long.
    """
    expected, written = expected.strip(), written.strip()
    if not expected:
        return False
    if kind != "completion" and says(written, expected):
        return True
    if written.startswith(expected):
        return not written[len(expected) : len(expected) + 1].isalnum()
    return len(written) >= ENOUGH and expected.startswith(written)


def says(text: str, expected: str) -> bool:
    """Whether the expected words stand anywhere in a text, as words of their own."""
    return re.search(rf"(?<!\w){re.escape(expected.strip())}(?!\w)", text) is not None
