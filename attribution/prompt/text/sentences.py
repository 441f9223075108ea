"""The sentences of an answer, as characters, and the sentence of every answer token."""

import re
from collections.abc import Sequence

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
