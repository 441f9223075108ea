"""One short factual document, and the text clean-up that every source shares."""

import hashlib
import html
import re
import unicodedata
from dataclasses import dataclass

_TAG = re.compile(r"<[^>]*>")
_SPACE = re.compile(r"\s+")
_BRACKET = re.compile(r"\s*[(\[][^()\[\]]*[)\]]")


@dataclass(frozen=True)
class Fact:
    """A document of the corpus. `subject` and `answer` name the fact that it states, where it states one."""

    title: str
    source: str
    topic: str
    text: str
    subject: str = ""
    answer: str = ""

    @property
    def document_id(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()[:16]


def plain(markup: str) -> str:
    """HTML fields of the sources as one line of plain, composed (NFC) text."""
    text = html.unescape(_TAG.sub(" ", markup))
    return _SPACE.sub(" ", unicodedata.normalize("NFC", text)).strip()


def without_brackets(text: str) -> str:
    """The text without round and square brackets and what stands in them."""
    while (shorter := _BRACKET.sub("", text)) != text:
        text = shorter
    return _SPACE.sub(" ", text).strip()


def first_clause(text: str) -> str:
    """Up to the first semicolon, line of notes or sentence end: the part of a field that states its value."""
    return re.split(r";| note:| note -|\. (?=[A-Z])", text, maxsplit=1)[0].strip(" .,;:-")


def sentence_case(text: str) -> str:
    return text[:1].upper() + text[1:]
