"""A prompt as the indexer keeps it: one canonical text and the parts that it is made of.

Conversations and questions over documents keep what they are made of beside it: a model with a chat template reads
them through that template (see indexer.size.rendered), and the text that it reads is then the prompt's text.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from attribution.errors import BadInput
from attribution.prompt.text.parts import Part, Piece, assemble
from attribution.prompt.text.written import (
    Passage,
    Wording,
    answered_here,
    question_pieces,
    turn,
    turn_pieces,
    with_documents,
)
from indexer.corpus.document import storable


@dataclass(frozen=True)
class Message:
    """One turn of a chat."""

    role: str  # system, developer, user, assistant, tool
    content: str
    more: Mapping[str, Any] = field(default_factory=dict, hash=False)  # what a template reads beside: calls of tools


@dataclass(frozen=True)
class Prompt:
    """`completion` is an answer to explain instead of the model's own; `foil` a token to contrast with; None if absent.

    `answer` and `topic` say what the prompt file knows, for checks and filters; "" if it knows nothing.
    """

    prompt_id: str  # first 16 hex digits of sha256 of the text (and of the completion)
    text: str
    kind: str  # completion, chat, retrieval
    topic: str
    answer: str
    completion: str | None
    foil: str | None
    parts: tuple[Part, ...]
    messages: tuple[Message, ...] = ()  # of a chat
    question: str = ""  # of a retrieval prompt
    docs: tuple[Passage, ...] = ()  # of a retrieval prompt, or beside a chat
    foil_of: str | None = None  # words of the answer that the foil stands against as a whole (see indexer.size.foil)
    instruction: str | None = None  # before the documents, and the form of one; None: the configuration's
    doc_prompt: str | None = None
    template: Mapping[str, Any] = field(default_factory=dict, hash=False)  # variables of the chat template, over those
    supports: tuple[str, ...] = ()  # ids of the documents that state the answer, where the file knows them
    fact: str = ""  # the words of the answer that tell its fact; "" for all of them
    notices: tuple[str, ...] = ()  # what was left out or cut so that a model could read it

    @classmethod
    def from_text(cls, text: str, **known: str | None) -> "Prompt":
        """A plain prompt; `known` may give topic, answer, completion, foil. Raises BadInput when it is empty."""
        return _prompt("completion", [Piece("question", storable(text))], known)

    @classmethod
    def from_messages(
        cls, messages: Sequence[Message], docs: Sequence[tuple[str, str]] = (), **known: str | None
    ) -> "Prompt":
        """A chat, over documents (title, text) if there are any; its text is the one for models without a chat
        template: "role: content" by line, the documents before what the user said last."""
        said = tuple(Message(each.role, storable(each.content), each.more) for each in messages)
        given = _documents(docs)
        turns = [turn(each.role, each.content) for each in said]
        if given:
            turns = with_documents(turns, [each for each in given if each.text.strip()], _wording(known))
        return _prompt("chat", turn_pieces(turns), known, messages=said, docs=given)

    @classmethod
    def from_question(cls, question: str, docs: Sequence[tuple[str, str]], **known: str | None) -> "Prompt":
        """A retrieval prompt: documents (title, text), numbered from 1, then the question; empty ones are left out."""
        if not question.strip():
            raise BadInput("expected a question, found an empty one; write what is asked")
        given, asked = _documents(docs), storable(question)
        pieces = question_pieces(asked, [each for each in given if each.text.strip()], _wording(known))
        return _prompt("retrieval", answered_here(pieces), known, question=asked, docs=given)

    def contrasts(self, answer: str) -> bool:
        """Whether an answer holds the words that the foil stands against, where any are named."""
        return self.foil_of is None or self.foil_of in answer


def prompt_id(text: str, completion: str | None = None) -> str:
    """The join of one prompt across models: two models asked the same have the same id."""
    content = text if completion is None else f"{text}\x00{completion}"  # NUL: no storable text holds one
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:16]


def _prompt(
    kind: str,
    pieces: list[Piece],
    known: dict[str, str | None],
    messages: tuple[Message, ...] = (),
    question: str = "",
    docs: tuple[Passage, ...] = (),
) -> Prompt:
    if not any(piece.text.strip() for piece in pieces if piece.kind != "scaffold"):
        raise BadInput("expected a prompt, found an empty one; write what the model is to go on from")
    made = assemble(pieces)
    given = {name: None if value is None else storable(value) for name, value in known.items()}
    completion = given.get("completion")
    return Prompt(
        prompt_id=prompt_id(made.text, completion),
        text=made.text,
        kind=kind,
        topic=given.get("topic") or "",
        answer=given.get("answer") or "",
        completion=completion,
        foil=given.get("foil"),
        parts=made.parts,
        messages=messages,
        question=question,
        docs=docs,
        foil_of=given.get("foil_of"),
        instruction=given.get("instruction"),
        doc_prompt=given.get("doc_prompt"),
    )


def _documents(docs: Sequence[tuple[str, str]]) -> tuple[Passage, ...]:
    return tuple(Passage(storable(title), storable(text)) for title, text in docs)


def _wording(known: Mapping[str, str | None]) -> Wording:
    """What the prompt says itself; None leaves it to the configuration, whose default this is."""
    usual = Wording()
    instruction, form = known.get("instruction"), known.get("doc_prompt")
    return Wording(
        usual.instruction if instruction is None else instruction, usual.doc_prompt if form is None else form
    )
