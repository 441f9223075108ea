"""A training document, and the id on which runs, models and databases join."""

import hashlib
import re
from dataclasses import dataclass

# lone surrogates cannot be written as UTF-8, and NUL ends a string in too many readers
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True)
class Document:
    """One training text. `document_id` is the hash of `text`, or of `turns` where it has any; `corpus` is the name of
    its file. `turns`: what the text is made of as canonical JSON (see indexer.corpus.turns), "" for a plain one."""

    document_id: str
    corpus: str
    title: str
    source: str
    topic: str
    text: str
    turns: str = ""


def document_id(text: str) -> str:
    """First 16 hex digits of sha256 of the text (or the canonical JSON) as UTF-8; it must be storable."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:16]


def storable(text: str) -> str:
    """The text with every NUL and lone surrogate replaced by U+FFFD; the same length, so offsets hold."""
    return _UNSTORABLE.sub("\ufffd", text)
