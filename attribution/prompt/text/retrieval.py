"""A question over retrieved documents as one prompt, cut to the room that the model has, with a notice of every cut."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.offsets import tokens_of
from attribution.prompt.text.chat import Variables, control_notices, conversation, writes_documents
from attribution.prompt.text.parts import PromptText, assemble
from attribution.prompt.text.written import Passage, Turn, Wording, answered_here, question_pieces, with_documents


def retrieval_prompt(
    question: str,
    documents: Sequence[Passage],
    tokenizer: PreTrainedTokenizerBase,
    room: int,
    wording: Wording | None = None,
    variables: Variables | None = None,
) -> PromptText:
    """The prompt in at most `room` tokens: context length less the answer. Empty documents are left out with a notice.

    The longest documents are cut first, all to one length, at a token's end. Raises BadInput for an empty question,
    and where question and headers alone do not fit.
    """
    if not question.strip():
        raise BadInput("expected a question, found an empty one; write what is asked")

    def make(kept: Sequence[Passage]) -> PromptText:
        pieces = question_pieces(question, kept, wording)
        turn = Turn("user", tuple(pieces))
        if tokenizer.chat_template:
            return conversation([turn], tokenizer, variables)
        return assemble(answered_here(pieces), control_notices([turn], tokenizer))

    return _fitted(documents, make, tokenizer, room)


def conversation_prompt(
    turns: Sequence[Turn],
    documents: Sequence[Passage],
    tokenizer: PreTrainedTokenizerBase,
    room: int,
    wording: Wording | None = None,
    variables: Variables | None = None,
) -> PromptText:
    """A conversation over documents, cut in the same way: where the template has a place for documents they stand
    there, else before what the user said last."""
    given = variables or Variables()

    def make(kept: Sequence[Passage]) -> PromptText:
        if not writes_documents(tokenizer):
            return conversation(with_documents(turns, kept, wording or Wording()), tokenizer, given)
        named = [{"title": each.title, "text": each.text} for each in kept]
        return conversation(turns, tokenizer, Variables({**given.values, "documents": named}))

    return _fitted(documents, make, tokenizer, room)


def _fitted(
    documents: Sequence[Passage],
    make: Callable[[Sequence[Passage]], PromptText],
    tokenizer: PreTrainedTokenizerBase,
    room: int,
) -> PromptText:
    notices = [f"document {i} is empty and was left out" for i, d in enumerate(documents, 1) if not d.text.strip()]
    if not documents:
        notices.append("no documents: everything comes from the question and from memory")
    kept = [d for d in documents if d.text.strip()]
    whole = make(kept)
    if _length(whole.text, tokenizer) <= room:
        return replace(whole, notices=(*notices, *whole.notices))
    ends = [_token_ends(d.text, tokenizer) for d in kept]
    most = max((len(end) for end in ends), default=0)
    low, high = 0, most  # tokens per document: low fits or is 0, high does not
    while high - low > 1:
        middle = (low + high) // 2
        cut = [_cut(d, end, middle) for d, end in zip(kept, ends, strict=True)]
        fits = _length(make(cut).text, tokenizer) <= room
        low, high = (middle, high) if fits else (low, middle)
    if low == 0:
        raise BadInput(
            f"expected a prompt of at most {room} tokens, found a question and {len(kept)} document headers that leave "
            "no room for documents or an answer; ask less at once"
        )
    cut = [_cut(d, end, low) for d, end in zip(kept, ends, strict=True)]
    for number, (before, after) in enumerate(zip(kept, cut, strict=True), 1):
        if len(after.text) < len(before.text):
            name = f"document {number}" + (f" ({before.title})" if before.title else "")
            notices.append(f"{name} cut from {len(before.text):,} to {len(after.text):,} characters to fit the context")
    made = make(cut)
    return replace(made, notices=(*notices, *made.notices))


def _length(text: str, tokenizer: PreTrainedTokenizerBase) -> int:
    return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) + 1  # and bos


def _token_ends(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [stop for _, stop in tokens_of(text, tokenizer)[1]]


def _cut(document: Passage, ends: Sequence[int], tokens: int) -> Passage:
    if len(ends) <= tokens:
        return document
    return Passage(document.title, document.text[: ends[tokens - 1]] if tokens else "")
