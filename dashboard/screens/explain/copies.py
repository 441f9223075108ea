"""What the chosen tokens say word for word as a training text does, and which documents say it. No widget here."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dashboard.database.records import AsRead, StoredDocument, Token
from dashboard.database.span_records import VerbatimSpan

CASES = {  # of a document: (influential, copied) -> how it is called; the signs tell them apart without colours
    (True, True): "◆ copied and influential",
    (False, True): "◇ copied only",
    (True, False): "● influential only",
    (False, False): "○ neither",
}


MOST = 8  # spans whose documents are looked at


@dataclass(frozen=True)
class Copies:
    """spans: the longest that share tokens with the chosen ones, of n_spans; words: of each. documents: id -> the
    longest of them that a document holds."""

    spans: list[VerbatimSpan]
    n_spans: int
    words: list[str]
    documents: dict[str, str]

    def case(self, document_id: str, influential: bool) -> str:
        return CASES[influential, document_id in self.documents]


def meeting(found: Sequence[VerbatimSpan] | None, first: int, last: int) -> list[VerbatimSpan]:
    """Those that share tokens with first..last, the longest first."""
    return sorted((each for each in found or () if each.meets(first, last)), key=lambda each: each.first - each.last)


def copies(found: Sequence[VerbatimSpan], tokens: Sequence[Token], texts: Mapping[str, str]) -> Copies:
    """found: as `meeting` gives them; texts: of the documents in question, by their ids."""
    spans = list(found[:MOST])
    words = [said(tokens, each) for each in spans]
    documents: dict[str, str] = {}
    for each, written in zip(spans, words, strict=True):
        for document_id in _holding(each, written, texts):
            documents.setdefault(document_id, written)
    return Copies(spans, len(found), words, documents)


def said(tokens: Sequence[Token], span: VerbatimSpan) -> str:
    """The words of a span, on one line."""
    return " ".join("".join(token.text for token in tokens[span.first : span.last + 1]).split())


def counted(n_places: int, n_documents: int) -> str:
    """In 9 documents; 12 times in 9 documents."""
    documents = "1 document" if n_documents == 1 else f"{n_documents:,} documents"
    return f"in {documents}" if n_places == n_documents else f"{n_places:,} times in {documents}"


def copied_tokens(found: Iterable[VerbatimSpan]) -> dict[int, VerbatimSpan]:
    """token -> the longest span that it is in."""
    longest: dict[int, VerbatimSpan] = {}
    for each in sorted(found, key=lambda each: each.last - each.first):
        longest |= dict.fromkeys(range(each.first, each.last + 1), each)
    return longest


def place_in(read: AsRead | None, text: str, words: str, start: int, n_tokens: int) -> tuple[int, int] | None:
    """Characters of a text where a span stands: those of its tokens, where it is known how the text was read; else
    where its words are first found, None where they are not."""
    if read is not None and start >= 0 and start + n_tokens <= len(read):
        inside = [i for i in range(start, start + n_tokens) if read.stops[i] > read.starts[i]]
        if inside:
            begin, end = read.starts[inside[0]], read.stops[inside[-1]]
            if " ".join(text[begin:end].split()) == words:
                return end - len(text[begin:end].lstrip()), end
    at = text.find(words)
    return (at, at + len(words)) if at >= 0 and words else None


def _holding(span: VerbatimSpan, words: str, texts: Mapping[str, str]) -> list[str]:
    """Documents with a span: of a few places all are stored; of many, those too whose text has its words."""
    placed = [document_id for document_id, _ in span.places]
    if span.n_places <= len(span.places) or not words:
        return placed
    return [*placed, *(key for key, text in texts.items() if words in " ".join(text.split()))]


def texts_of(documents: Mapping[str, StoredDocument]) -> dict[str, str]:
    return {key: each.text for key, each in documents.items()}
