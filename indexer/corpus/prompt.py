"""A prompt as the indexer keeps it: one canonical text, the same for every model, and the parts that it is made of."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from attribution.errors import BadInput
from indexer.corpus.document import storable

PART_KINDS = ("system", "question", "document", "scaffold")
_ROLES = {"system": "system", "user": "question", "assistant": "scaffold"}


@dataclass(frozen=True)
class Part:
    """Characters [start, stop) of the prompt's text. The parts of a prompt follow each other and cover all of it."""

    part: int
    kind: str  # one of PART_KINDS
    title: str
    start: int
    stop: int


@dataclass(frozen=True)
class Message:
    """One turn of a chat; a model with a chat template renders these instead of the canonical text."""

    role: str  # system, user, assistant
    content: str


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
    messages: tuple[Message, ...]
    supports: tuple[str, ...] = ()  # ids of the documents that state the answer, where the file knows them

    @classmethod
    def from_text(cls, text: str, **known: str | None) -> "Prompt":
        """A plain prompt; `known` may give topic, answer, completion, foil. Raises BadInput when it is empty."""
        return _prompt("completion", [("question", "", text)], (), known)

    @classmethod
    def from_messages(cls, messages: Sequence[Message], **known: str | None) -> "Prompt":
        """A chat: "role: content" by line, ending with "assistant:"; for models that have no template."""
        pieces = []
        for message in messages:
            pieces += [("scaffold", "", f"{message.role}: "), (_ROLES[message.role], "", message.content)]
            pieces += [("scaffold", "", "\n")]
        return _prompt("chat", [*pieces, ("scaffold", "", "assistant:")], tuple(messages), known)

    @classmethod
    def from_question(cls, question: str, docs: Sequence[tuple[str, str]], **known: str | None) -> "Prompt":
        """A retrieval prompt: documents (title, text), numbered from 1, then the question."""
        pieces = []
        for number, (title, text) in enumerate(docs, start=1):
            pieces += [("scaffold", "", f"[{number}] "), ("document", title, f"{title}\n{text}" if title else text)]
            pieces += [("scaffold", "", "\n\n")]
        pieces += [("scaffold", "", "Question: "), ("question", "", question), ("scaffold", "", "\nAnswer:")]
        whole = "".join(text for _, _, text in pieces[:-1]).rstrip()
        if not question.strip():
            raise BadInput("expected a question, found an empty one; write what is asked")
        return _prompt("retrieval", pieces, (Message("user", storable(whole)),), known)


def prompt_id(text: str, completion: str | None = None) -> str:
    """The join of one prompt across models: two models asked the same have the same id."""
    content = text if completion is None else f"{text}\x00{completion}"  # NUL: no storable text holds one
    return hashlib.sha256(content.encode("utf-8")).hexdigest()[:16]


def _prompt(
    kind: str, pieces: list[tuple[str, str, str]], messages: tuple[Message, ...], known: dict[str, str | None]
) -> Prompt:
    if not any(text.strip() for part_kind, _, text in pieces if part_kind != "scaffold"):
        raise BadInput("expected a prompt, found an empty one; write what the model is to go on from")
    parts: list[Part] = []
    start = 0
    for part_kind, title, text in pieces:
        if text:
            parts.append(Part(len(parts), part_kind, storable(title), start, start + len(text)))
            start += len(text)
    whole = storable("".join(text for _, _, text in pieces))
    given = {name: None if value is None else storable(value) for name, value in known.items()}
    completion = given.get("completion")
    return Prompt(
        prompt_id=prompt_id(whole, completion),
        text=whole,
        kind=kind,
        topic=given.get("topic") or "",
        answer=given.get("answer") or "",
        completion=completion,
        foil=given.get("foil"),
        parts=tuple(parts),
        messages=tuple(Message(message.role, storable(message.content)) for message in messages),
    )
