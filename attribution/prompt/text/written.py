"""Conversations and questions over documents as pieces of text, written out for models without a chat template.

{"messages": [{"role", "content"}], "docs"?: …}                  role: content, a line each, then "assistant:"
{"question": ..., "docs": [{"title", "text"}], "output"?: ...}   the MIRAGE interface's format
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from attribution.errors import BadInput
from attribution.prompt.text.parts import Piece

INSTRUCTION = "Answer the question with the help of the documents."


@dataclass(frozen=True)
class Wording:
    """What stands around the documents of a question.

    doc_prompt: one document, with {ID}, {T} and {P} for its number, title and text, as the configurations of MIRAGE
    and of its interface have it ("Passage [{ID}](Title: {T}): {P}\\n"); "" is the form of `document_pieces`.
    Raises BadInput where it does not hold {P} once.
    """

    instruction: str = INSTRUCTION
    doc_prompt: str = ""

    def __post_init__(self) -> None:
        if self.doc_prompt and self.doc_prompt.count("{P}") != 1:
            raise BadInput(
                f"expected {{P}}, the document's text, once in doc_prompt, found {self.doc_prompt!r}; write it as "
                "'Passage [{ID}](Title: {T}): {P}'"
            )


@dataclass(frozen=True)
class Turn:
    """What one role says, in pieces."""

    role: str
    pieces: tuple[Piece, ...]
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)  # of its message, for a template: calls of tools

    @property
    def content(self) -> str:
        return "".join(piece.text for piece in self.pieces)


@dataclass(frozen=True)
class Passage:
    """One retrieved passage; the title is part of its header, not of what can be cited."""

    title: str
    text: str


def turn(role: str, content: str, more: Mapping[str, Any] | None = None) -> Turn:
    """A turn of one piece: system is system, tool output a document, everything else belongs to the question."""
    kind = {"system": "system", "developer": "system", "tool": "document"}.get(role, "question")
    title = "" if role in ("system", "user") else role
    return Turn(role, (Piece(kind, content, title),), more or {})  # type: ignore[arg-type]


def turn_pieces(turns: Sequence[Turn]) -> list[Piece]:
    """The roles written out, ready for the answer; an assistant's turn at the end is to be gone on with."""
    pieces: list[Piece] = []
    for each in turns:
        pieces += [
            Piece("scaffold", f"{each.role}: ", goes_with="next"),
            *each.pieces,
            Piece("scaffold", "\n", goes_with="last"),
        ]
    return pieces[:-1] if unfinished(turns) else [*pieces, Piece("scaffold", "assistant:")]


def unfinished(turns: Sequence[Turn]) -> bool:
    """Whether the model is to go on with what the last turn says, as its own words."""
    return bool(turns) and turns[-1].role == "assistant"


def unnamed(number: int) -> str:
    """How a document without a title is called, from 1."""
    return f"document {number}"


def document_pieces(documents: Sequence[Passage], wording: Wording) -> list[Piece]:
    """Instruction and numbered documents; titles and numbers are scaffold."""
    pieces: list[Piece] = []
    if documents:
        pieces += [Piece("system", wording.instruction), Piece("scaffold", "\n\n", goes_with="last")]
    for number, document in enumerate(documents, 1):
        before = f"[{number}] {document.title}\n" if document.title else f"[{number}] "
        after = "\n\n"
        if wording.doc_prompt:
            before, after = (
                half.replace("{T}", document.title).replace("{ID}", str(number))
                for half in wording.doc_prompt.split("{P}")
            )
        name = document.title or unnamed(number)
        pieces += [Piece("scaffold", before, goes_with="next"), Piece("document", document.text, name)]
        pieces += [Piece("scaffold", after, goes_with="last")]
    return pieces


def question_pieces(question: str, documents: Sequence[Passage], wording: Wording | None = None) -> list[Piece]:
    """Instruction, numbered documents and question: what a user says."""
    asked = [Piece("scaffold", "Question: ", goes_with="next"), Piece("question", question)]
    return [*document_pieces(documents, wording or Wording()), *asked]


def with_documents(turns: Sequence[Turn], documents: Sequence[Passage], wording: Wording) -> list[Turn]:
    """The documents before what the user said last. Raises BadInput where no user says anything."""
    last = max((i for i, each in enumerate(turns) if each.role == "user"), default=None)
    if last is None:
        raise BadInput("expected a message of role 'user' beside 'docs', found none; write what is asked of them")
    asked = replace(turns[last], pieces=(*document_pieces(documents, wording), *turns[last].pieces))
    return [*turns[:last], asked, *turns[last + 1 :]]


def answered_here(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces of a question with the label after which a model without a template writes."""
    return [*pieces, Piece("scaffold", "\nAnswer:")]
