"""An answer that was written elsewhere, as the ids that the model would have had to write."""

import unicodedata

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.model.sequence import end_tokens


def pasted_answer(
    prompt: str, answer: str, tokenizer: PreTrainedTokenizerBase, room: int
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Answer ids, at most `room` of them, and notices. The answer is never sent through the chat template.

    A space is put between a prompt that ends in a word and an answer that begins with one, with a notice; an end token
    written out at the end becomes the end token. Raises BadInput for an empty answer, for one that the prompt's
    template cannot end with (control tokens inside, text that the tokenizer changes), and where there is no room.
    """
    end = tokenizer.eos_token or ""
    ended = bool(end) and answer.rstrip().endswith(end)
    body = answer.rstrip().removesuffix(end) if ended else answer
    if not body.strip():
        raise BadInput("expected an answer to explain, found an empty one; leave it out to let the model write")
    inside = [token for token in tokenizer.all_special_tokens if token and token in body]
    if inside:
        raise BadInput(
            f"expected an answer that the prompt can end with, found the control token {inside[0]} inside it; "
            "paste only what the model wrote"
        )
    notices = []
    if not tokenizer.chat_template and prompt[-1:].strip() and _begins_word(body[0]):
        body = f" {body}"
        notices.append("a space was put between prompt and answer")
    ids = tuple(int(i) for i in tokenizer(body, add_special_tokens=False, verbose=False)["input_ids"])
    said = tokenizer.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False)
    if said != body:
        raise BadInput(
            f"expected an answer that the model's tokenizer keeps, found that {body[:40]!r} becomes {said[:40]!r}; "
            "paste the answer as the model wrote it"
        )
    ids += end_tokens(tokenizer)[:1] if ended else ()
    if room < 1:
        raise BadInput("expected room for an answer after the prompt, found none; shorten the prompt")
    if len(ids) > room:
        notices.append(f"the answer was cut from {len(ids):,} to {room:,} tokens to fit the context")
    return ids[:room], tuple(notices)


def _begins_word(letter: str) -> bool:
    """Whether a script that writes spaces would put one before it; ideographs and kana take none."""
    return letter.isalnum() and unicodedata.east_asian_width(letter) not in "WF"
