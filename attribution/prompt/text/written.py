"""Conversations and questions over documents as pieces of text, written out for models without a chat template.

{"messages": [{"role", "content"}]}                              role: content, a line each, then "assistant:"
{"question": ..., "docs": [{"title", "text"}], "output"?: ...}   the MIRAGE interface's format
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.prompt.text.parts import Piece

INSTRUCTION = "Answer the question with the help of the documents."


@dataclass(frozen=True)
class Turn:
    """What one role says, in pieces."""

    role: str
    pieces: tuple[Piece, ...]

    @property
    def content(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Passage:
    """One retrieved passage; the title is part of its header, not of what can be cited."""

    title: str
    text: str


def turn(role: str, content: str) -> Turn:
    """A turn of one piece: system is system, tool output a document, everything else belongs to the question."""
    kind = {"system": "system", "developer": "system", "tool": "document"}.get(role, "question")
    title = "" if role in ("system", "user") else role
    return Turn(role, (Piece(kind, content, title),))  # type: ignore[arg-type]


def turn_pieces(turns: Sequence[Turn]) -> list[Piece]:
    """The roles written out, ready for the answer."""
    pieces: list[Piece] = []
    for each in turns:
        pieces += [
            Piece("scaffold", f"{each.role}: ", goes_with="next"),
            *each.pieces,
            Piece("scaffold", "\n", goes_with="last"),
        ]
    return [*pieces, Piece("scaffold", "assistant:")]


def question_pieces(question: str, documents: Sequence[Passage]) -> list[Piece]:
    """Instruction, numbered documents and question: what a user says; titles and numbers are scaffold."""
    pieces: list[Piece] = []
    if documents:
        pieces += [Piece("system", INSTRUCTION), Piece("scaffold", "\n\n", goes_with="last")]
    for number, document in enumerate(documents, 1):
        header = f"[{number}] {document.title}\n" if document.title else f"[{number}] "
        name = document.title or f"document {number}"
        pieces += [Piece("scaffold", header, goes_with="next"), Piece("document", document.text, name)]
        pieces += [Piece("scaffold", "\n\n", goes_with="last")]
    return [*pieces, Piece("scaffold", "Question: ", goes_with="next"), Piece("question", question)]


def answered_here(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a question with the label after which a model without a template writes."""
    return [*pieces, Piece("scaffold", "\nAnswer:")]
