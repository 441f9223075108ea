"""A training document under an answer as a citation: what a reader needs to find it again. No widget here."""

from dashboard.database.method_names import method_name
from dashboard.database.records import StoredDocument
from dashboard.drawing.shapes import Card
from dashboard.screens.explain.explanation import Explanation

LONGEST = 240  # characters of the prompt, the answer or the document


def citation(found: Explanation, document: StoredDocument, card: Card) -> str:
    """In a few sentences, on one line; the address of the page follows it."""
    generation = found.generation
    words = "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])
    what = "The answer" if found.whole else f"“{_short(words)}” in the answer"
    where = "; ".join(filter(None, (document.where, f"document {document.document_id}")))
    amount = f"{card.score} % of the strongest document listed" if card.unit == "%" else f"{card.score} {card.unit}"
    by = f", by {method_name(found.run.method)} (run {found.run.run_id})" if found.run else ""
    told = ", ".join(filter(None, (amount.strip(), card.facts)))
    return (
        f"{what} “{_short(generation.text)}” of {generation.model.name} to “{_short(generation.prompt)}”: training "
        f"document “{_short(document.title) or 'untitled'}” ({where}), “{_short(document.text)}”. {told}{by}. Whence,"
    )


def _short(text: str) -> str:
    """On one line, and no longer than LONGEST."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
