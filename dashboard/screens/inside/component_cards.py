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
    unit = found.unit if found.unit.slope is not None else found.unit.over(each.whole for each in found.through)
    through = {each.document_id: float(unit.parts(each.score, each.whole)) for each in top}
    places = decimals(through.values())
    largest = max(map(abs, through.values()), default=1.0) or 1.0
    asked = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])
    cards = []
    for each in top:
        document = texts.get(each.document_id)
        if document is None:
            continue
        amount, of_all = through[each.document_id], unit.shown(each.whole)
        whole = signed(of_all, decimals([of_all]))
        known = f" · sum over {each.known} of {found.width} tokens" if each.known < found.width else ""
        cards.append(
            _card(
                document,
                _passage(document, asked),
                score=signed(amount, places),
                unit=unit.name,
                hue="warm" if amount >= 0 else "cool",
                bar=amount / largest,
                facts=f"of {whole} through all of the model{known}",
            )
        )
    return cards


def teacher_cards(snapshot: Snapshot, teachers: Sequence[Teacher]) -> list[Card]:
    """Documents over all stored answers, in the order given, in percent of the largest sum of sizes: tokens of several
    answers have no one change of log p."""
    texts = documents.documents(snapshot, [each.document_id for each in teachers])
    largest = max((each.size for each in teachers), default=1.0) or 1.0
    shares = {each.document_id: 100 * each.score / largest for each in teachers}
    places = decimals(shares.values())
    return [
        _card(
            texts[each.document_id],
            _passage(texts[each.document_id]),
            score=signed(shares[each.document_id], places),
            unit="%",
            hue="warm" if each.score >= 0 else "cool",
            bar=each.size / largest,
            facts=f"sizes sum to {plain(100 * each.size / largest)} % over {_counted(each.n_tokens)}",
        )
        for each in teachers
        if each.document_id in texts
    ]


def _counted(n: int) -> str:
    return f"{n:,} token{'' if n == 1 else 's'}"


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
