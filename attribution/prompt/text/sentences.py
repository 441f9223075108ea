"""The sentences of an answer or of a prompt's documents, as characters, and the sentence of every token."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

# an end mark with its closing quotes, then white space; or a line break. Marks of other scripts need no space
_END = re.compile(r"""[.!?…]+["'”’)\]]*(?=\s|$)|[。！？؟۔]+["'”’)\]]*|\n+""")
_SHORT = re.compile(r"(?:^|[\s(])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|No|vs|etc|e\.g|i\.e|cf|ca|approx|Fig|Vol)\.$")


def sentence_spans(text: str) -> tuple[tuple[int, int], ...]:
    """Characters [start, stop) of every sentence; together they cover the text. Abbreviations end none."""
    spans, start = [], 0
    for end in _END.finditer(text):
        sentence = text[start : end.end()]
        if not sentence.strip() or _SHORT.search(sentence):
            continue
        spans.append((start, end.end()))
        start = end.end()
    if text[start:].strip() or not spans:
        spans.append((start, len(text)))
    elif start < len(text):
        spans[-1] = (spans[-1][0], len(text))
    return tuple(spans)


def token_sentences(text: str, spans: Sequence[tuple[int, int]]) -> tuple[int, ...]:
    """The sentence of every token, by its first character that is no white space; an end token joins the last."""
    sentences = sentence_spans(text)
    numbers = []
    for start, stop in spans:
        covered = text[start:stop]
        first = start + (len(covered) - len(covered.lstrip()) if covered.strip() else 0)
        number = next((i for i, (_, end) in enumerate(sentences) if first < end), len(sentences) - 1)
        numbers.append(number)
    return tuple(numbers)


class Stretch(Protocol):
    """A part of a prompt, as the mathematics has it (`Part`) or as it is stored."""

    @property
    def part(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def stop(self) -> int: ...


@dataclass(frozen=True)
class DocumentSentence:
    """Characters [start, stop) of the prompt, in the document `part`."""

    part: int
    start: int
    stop: int


def document_sentences(text: str, parts: Sequence[Stretch]) -> tuple[DocumentSentence, ...]:
    """The sentences of all documents of a prompt, in reading order; those of one document cover it."""
    return tuple(
        DocumentSentence(each.part, each.start + start, each.start + stop)
        for each in parts
        if each.kind == "document"
        for start, stop in sentence_spans(text[each.start : each.stop])
    )
