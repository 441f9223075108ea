"""How training read the documents that are drawn, in words: windows, what was not learned, what was never read."""

from collections.abc import Iterable, Sequence

from dashboard.database.records import StoredDocument
from dashboard.database.turns import said
from dashboard.drawing.document_text import Drawn
from dashboard.drawing.shapes import Card
from indexer.corpus.turns import is_pair

Badge = tuple[str, bool]
READ_ONLY = "greyed tokens, dotted where they carry heat, were read, not learned"


def pair_badge(document: StoredDocument) -> tuple[Badge, ...]:
    """Of a preference pair."""
    return (("pair: chosen and rejected answer", False),) if is_pair(document.turns) else ()


def windows_badge(text: Drawn) -> tuple[Badge, ...]:
    """Of a document that was read in several windows: those that the passage is from."""
    if text.n_windows < 2:
        return ()
    first, last = text.windows
    if (first, last) == (1, text.n_windows):
        return ((f"read in {text.n_windows:,} windows", False),)
    which = f"window {first:,}" if first == last else f"windows {first:,} to {last:,}"
    return ((f"{which} of {text.n_windows:,}", False),)


def seen_badge(document: StoredDocument) -> tuple[Badge, ...]:
    """Of a document that stands in the training files more than once."""
    return ((f"seen {document.times:,} times", False),) if document.times > 1 else ()


def unread_notice(text: Drawn) -> str:
    """What was cut off."""
    n = text.n_unread
    if not n:
        return ""
    return f"Not covered: its last {'character was' if n == 1 else f'{n:,} characters were'} cut off in training."


def reading_keys(cards: Sequence[Card], documents: Iterable[StoredDocument]) -> list[str]:
    """What greyed and small words of these cards mean; nothing where there are none."""
    kinds = {piece.kind for card in cards for piece in card.pieces}
    keys = []
    if "read" in kinds:
        ids = {card.document_id for card in cards if any(piece.kind == "read" for piece in card.pieces)}
        words = _learned([each.turns for each in documents if each.document_id in ids])
        keys.append(f"{words}; {READ_ONLY}" if words else f"{READ_ONLY[:1].upper()}{READ_ONLY[1:]}")
    if "template" in kinds:
        keys.append("Small: the chat template's own")
    return keys


def _learned(turns: Iterable[str]) -> str:
    """Which words the loss was on, of documents with words that were not learned."""
    roles: set[str] = set()
    for each in turns:  # of a pair nothing is learned but the answers, whoever speaks in its prompt
        roles |= {"pair"} if is_pair(each) else {role for role, _ in said(each)}
    named = {
        "assistant": "the assistant's words",
        "completion": "the completion",
        "pair": "what follows where the chosen and the rejected answer part",
    }
    learned = [words for role, words in named.items() if role in roles]
    return f"Loss on {' and on '.join(learned)}" if learned else ""
