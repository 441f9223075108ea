"""What is listed on the page of a component, as cards: documents, training contexts, answers. No widget here."""

from collections.abc import Sequence

from dashboard.database.components.records import Context, Teacher
from dashboard.database.queries import documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import AsRead, StoredDocument
from dashboard.drawing.document_text import by_texts, drawn, shown
from dashboard.drawing.numbers import decimals, plain, signed
from dashboard.drawing.shapes import Card, Heated
from dashboard.screens.inside.view import View
from indexer.search.text_index import highlights

PASSAGE = 320  # characters of a document


def through_cards(snapshot: Snapshot, found: View, most: int) -> list[Card]:
    """Documents by what passes through the chosen component, the largest sizes, most helpful first."""
    top = sorted(found.through, key=lambda each: -abs(each.score))[:most]
    top = [each for each in found.through if each in top]
    texts = documents.documents(snapshot, [each.document_id for each in top])
    places = decimals([each.score for each in top])
    largest = max((abs(each.score) for each in top), default=1.0) or 1.0
    asked = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])
    cards = []
    for each in top:
        document = texts.get(each.document_id)
        if document is None:
            continue
        whole = signed(each.whole, decimals([each.whole]))
        known = f" · sum over {each.known} of {found.width} tokens" if each.known < found.width else ""
        cards.append(
            _card(
                document,
                _passage(document, asked),
                score=signed(each.score, places),
                unit="nats",
                hue="warm" if each.score >= 0 else "cool",
                bar=each.score / largest,
                facts=f"of {whole} through all of the model{known}",
            )
        )
    return cards


def teacher_cards(snapshot: Snapshot, teachers: Sequence[Teacher]) -> list[Card]:
    """Documents over all stored answers, in the order given; bars are of the sums of sizes."""
    texts = documents.documents(snapshot, [each.document_id for each in teachers])
    largest = max((each.size for each in teachers), default=1.0) or 1.0
    places = decimals([each.score for each in teachers])
    return [
        _card(
            texts[each.document_id],
            _passage(texts[each.document_id]),
            score=signed(each.score, places),
            unit="nats",
            hue="warm" if each.score >= 0 else "cool",
            bar=each.size / largest,
            facts=f"sizes sum to {plain(each.size)} over {each.n_tokens:,} token{'' if each.n_tokens == 1 else 's'}",
        )
        for each in teachers
        if each.document_id in texts
    ]


def context_cards(snapshot: Snapshot, contexts: Sequence[Context], tokenizer_id: str, kind: str) -> list[Card]:
    """Each document around the token at which the component is strongest, which is marked."""
    ids = [each.document_id for each in contexts]
    texts, read = documents.documents(snapshot, ids), documents.as_read(snapshot, tokenizer_id, ids)
    tokens = documents.document_tokens(snapshot, tokenizer_id, [each for each in ids if each not in read])
    largest = max((abs(each.value) for each in contexts), default=1.0) or 1.0
    places = decimals([each.value for each in contexts])
    cards = []
    for each in contexts:
        document = texts.get(each.document_id)
        if document is None:
            continue
        text = _around(document, read.get(each.document_id), tokens.get(each.document_id, []), each.token_position)
        cards.append(
            _card(
                document,
                text,
                score=signed(each.value, places),
                unit="activation" if kind == "neuron" else "norm",
                hue="strength",
                bar=abs(each.value) / largest,
            )
        )
    return cards


Passage = tuple[list[Heated], int, int]  # pieces, characters left out before and after


def _passage(document: StoredDocument, asked: str = "") -> Passage:
    """Where the words of `asked` stand, or the beginning."""
    text = shown([Heated(document.text)], PASSAGE, lambda text: highlights(text, asked) if asked.strip() else [])
    return text.pieces, text.before, text.after


def _around(document: StoredDocument, read: AsRead | None, texts: Sequence[str], position: int) -> Passage:
    """The passage around one token."""
    n = len(read) if read is not None else len(texts)
    values = [float(i == position) for i in range(n)]
    text = drawn(document, read, values, 1.0, PASSAGE) if read else by_texts(document, texts, values, 1.0, PASSAGE)
    pieces = [piece._replace(amount="mark" if piece.amount else None) for piece in text.pieces]
    return pieces, text.before, text.after


def _card(document: StoredDocument, passage: Passage, **measure: object) -> Card:
    pieces, before, after = passage
    return Card(document.document_id, document.title, document.where, pieces, before=before, after=after, **measure)  # type: ignore[arg-type]
