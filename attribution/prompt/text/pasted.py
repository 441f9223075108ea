"""An answer that was written elsewhere, as the ids that the model would have had to write.

Prompt and answer are joined as written: the ids must decode, behind those of the prompt, to exactly the answer. Where a
tokenizer puts a space before whatever it is given, the ids are looked for inside longer texts.
"""

import unicodedata
from collections.abc import Iterator, Sequence

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.loading.specials import choose_specials
from attribution.model.sequence import decoded

ANSWER, FOIL = "an answer", "a foil"  # what is pasted
_MEND = {ANSWER: "paste only what the model wrote", FOIL: "write only words that might have stood there"}
_SPACELESS = ("THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")  # scripts that write no space between words


def pasted_answer(
    prompt: str,
    answer: str,
    tokenizer: PreTrainedTokenizerBase,
    room: int,
    stops: Sequence[int] | None = None,
    what: str = ANSWER,
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Answer ids, at most `room` of them, and notices. The answer is never sent through the chat template.

    stops: tokens that end an answer; written out at its end, one becomes that token. what: ANSWER or FOIL, for
    messages. Where a word follows without a space a notice says so. Raises BadInput for an empty answer, for one that
    the prompt's template cannot end with (control tokens inside, text that the tokenizer changes), and where there is
    no room.
    """
    ends = choose_specials(tokenizer).stops if stops is None else stops
    body, ended = _ended(answer, [int(each) for each in ends], tokenizer)
    if not body:
        raise BadInput("expected an answer to explain, found an empty one; leave it out to let the model write")
    inside = [token for token in tokenizer.all_special_tokens if token and token in body]
    if inside:
        raise BadInput(
            f"expected {what} that the prompt can end with, found the control token {inside[0]} inside it; "
            f"{_MEND[what]}"
        )
    notices = []
    if not tokenizer.chat_template and prompt and _ends_words(prompt[-1]) and _in_a_word(body[0]):
        met = f"{prompt.split()[-1][-20:]}|{body.split()[0][:20]}"
        notices.append(f"prompt and answer are joined as written, without a space between them: {met}")
    ids = _joined(prompt, body, tokenizer, what)
    ids += () if ended is None else (ended,)
    if room < 1:
        raise BadInput("expected room for an answer after the prompt, found none; shorten the prompt")
    if len(ids) > room:
        notices.append(f"the answer was cut from {len(ids):,} to {room:,} tokens to fit the context")
    return ids[:room], tuple(notices)


def _ended(answer: str, ends: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> tuple[str, int | None]:
    """The answer without an end token that is written out behind it, and the id of that token."""
    special = dict(zip(tokenizer.all_special_ids, tokenizer.all_special_tokens, strict=True))
    for end in ends:  # which may be no token at all: −1 stands for none in some settings
        text = special.get(end)
        if text and answer.rstrip().endswith(text):
            return answer.rstrip().removesuffix(text), end
    return answer, None


def _joined(prompt: str, body: str, tokenizer: PreTrainedTokenizerBase, what: str) -> tuple[int, ...]:
    """Ids that read as `body` behind the prompt."""
    before = _ids(prompt, tokenizer)
    read = decoded(before, tokenizer)
    said = ""
    for ids in _ways(prompt, before, body, tokenizer):
        found = decoded((*before, *ids), tokenizer)
        said = said or found[len(read) :]
        if found.startswith(read) and _same(found[len(read) :], body):
            return ids
    raise BadInput(
        f"expected {what} that the model's tokenizer keeps, found that {body[:40]!r} becomes {said[:40]!r}; "
        f"{_MEND[what]}"
    )


def _ways(
    prompt: str, before: tuple[int, ...], body: str, tokenizer: PreTrainedTokenizerBase
) -> Iterator[tuple[int, ...]]:
    """By itself; as the end of prompt and answer; behind a line break."""
    yield _ids(body, tokenizer)
    for text, start in ((prompt, before), ("\n", _ids("\n", tokenizer))):
        together = _ids(text + body, tokenizer)
        if together[: len(start)] == start:
            yield together[len(start) :]


def _ids(text: str, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    return tuple(int(i) for i in tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])


def _same(one: str, other: str) -> bool:
    """Equal, but for letters that Unicode writes in one piece or in several: many tokenizers join them."""
    return one == other or unicodedata.normalize("NFC", one) == unicodedata.normalize("NFC", other)


def _ends_words(letter: str) -> bool:
    """Whether a space would stand behind this if a word followed; behind $ and ( none would."""
    return letter in ".,:;!?" or _in_a_word(letter)


def _in_a_word(letter: str) -> bool:
    """Whether a script that writes spaces between words has this among its letters and digits."""
    wide = unicodedata.east_asian_width(letter) in "WF"
    return letter.isalnum() and not wide and not unicodedata.name(letter, "").startswith(_SPACELESS)
