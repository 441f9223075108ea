"""A question over retrieved documents as one prompt, cut to the room that the model has, with a notice of every cut."""

from collections.abc import Sequence

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.offsets import tokens_of
from attribution.prompt.text.chat import control_notices, conversation
from attribution.prompt.text.parts import PromptText, assemble
from attribution.prompt.text.written import Passage, Turn, answered_here, question_pieces


def retrieval_prompt(
    question: str, documents: Sequence[Passage], tokenizer: PreTrainedTokenizerBase, room: int
) -> PromptText:
    """The prompt in at most `room` tokens: context length less the answer. Empty documents are left out with a notice.

    The longest documents are cut first, all to one length, at a token's end. Raises BadInput for an empty question,
    and where question and headers alone do not fit.
    """
    if not question.strip():
        raise BadInput("expected a question, found an empty one; write what is asked")
    notices = [f"document {i} is empty and was left out" for i, d in enumerate(documents, 1) if not d.text.strip()]
    if not documents:
        notices.append("no documents: everything comes from the question and from memory")
    kept = [d for d in documents if d.text.strip()]
    whole = _prompt(question, kept, tokenizer, notices)
    if _length(whole.text, tokenizer) <= room:
        return whole
    ends = [_token_ends(d.text, tokenizer) for d in kept]
    most = max((len(end) for end in ends), default=0)
    low, high = 0, most  # tokens per document: low fits or is 0, high does not
    while high - low > 1:
        middle = (low + high) // 2
        cut = [_cut(d, end, middle) for d, end in zip(kept, ends, strict=True)]
        fits = _length(_prompt(question, cut, tokenizer, notices).text, tokenizer) <= room
        low, high = (middle, high) if fits else (low, middle)
    if low == 0:
        raise BadInput(
            f"expected a prompt of at most {room} tokens, found a question and {len(kept)} document headers that leave "
            "no room for documents or an answer; ask less at once or choose a model with a longer context"
        )
    cut = [_cut(d, end, low) for d, end in zip(kept, ends, strict=True)]
    for number, (before, after) in enumerate(zip(kept, cut, strict=True), 1):
        if len(after.text) < len(before.text):
            name = f"document {number}" + (f" ({before.title})" if before.title else "")
            notices.append(f"{name} cut from {len(before.text):,} to {len(after.text):,} characters to fit the context")
    return _prompt(question, cut, tokenizer, notices)


def _prompt(
    question: str, documents: Sequence[Passage], tokenizer: PreTrainedTokenizerBase, notices: Sequence[str]
) -> PromptText:
    pieces = question_pieces(question, documents)
    turn = Turn("user", tuple(pieces))
    if tokenizer.chat_template:
        made = conversation([turn], tokenizer)
        return PromptText(made.text, made.parts, (*notices, *made.notices))
    return assemble(answered_here(pieces), (*notices, *control_notices([turn], tokenizer)))


def _length(text: str, tokenizer: PreTrainedTokenizerBase) -> int:
    return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]) + 1  # and bos


def _token_ends(text: str, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    return [stop for _, stop in tokens_of(text, tokenizer)[1]]


def _cut(document: Passage, ends: Sequence[int], tokens: int) -> Passage:
    if len(ends) <= tokens:
        return document
    return Passage(document.title, document.text[: ends[tokens - 1]] if tokens else "")
