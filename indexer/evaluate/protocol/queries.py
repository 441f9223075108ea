"""What an evaluation asks about: tokens to be explained, and the documents that state them where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from attribution.model.sequence import encode_prompt
from attribution.passes.batches import Row
from indexer.corpus.prompt import Prompt
from indexer.size.member import Member


@dataclass(frozen=True)
class Question:
    """f = mean log p of `ids[first:]`: one query."""

    ids: tuple[int, ...]
    first: int
    text: str  # for the lexical search
    supports: tuple[int, ...] = ()  # indices of the documents that state it

    @property
    def n_targets(self) -> int:
        return len(self.ids) - self.first


def of_document(member: Member, index: int) -> Question:
    """A training document as a query: the last tokens in a row that it was learned by, which of a plain text that fits
    into one window are all of them."""
    ids, first = last_learned(member.rows[index])
    return Question(ids, first, member.documents[index].text, (index,))


def of_end(member: Member, index: int) -> Question:
    """The last words that were learned of a training document, a quarter of what it read but at most five tokens, as
    the answer to what stands before them."""
    ids, first = last_learned(member.rows[index])
    if first < len(ids) - 1:
        ids = ids[:-1]  # without the end token
    n = min(5, max(1, len(ids) // 4))
    return Question(ids, max(first, len(ids) - n), member.documents[index].text, (index,))


def last_learned(row: Row) -> tuple[tuple[int, ...], int]:
    """The last run of tokens that were learned: what its window has read up to its end, and where it begins.

    Of a text without any, its last token stands for it: whoever asks about it learns that nothing changes.
    """
    learned = [window for window in row.rows() if window.targets().any()]
    if not learned:
        ids = row.rows()[-1].ids
        return ids, max(1, len(ids) - 1)
    targets = learned[-1].targets()
    stop = int(np.flatnonzero(targets)[-1]) + 1
    before = np.flatnonzero(~targets[:stop])  # the first token of a window is never learned
    return learned[-1].ids[:stop], int(before[-1]) + 1


def of_token(member: Member, index: int) -> Question:
    """The token after three quarters of a training document."""
    of = of_end(member, index)
    return Question(of.ids[: of.first + 1], of.first, of.text)


def of_prompts(member: Member, prompts: Sequence[Prompt]) -> list[Question]:
    """The expected answers of the prompts whose fact stands in documents of the member; the others are left out."""
    index_of = member.places({each for prompt in prompts for each in prompt.supports})
    found = []
    for prompt in prompts:
        supports = tuple(sorted(index_of[each] for each in prompt.supports if each in index_of))
        if prompt.answer and supports:
            found.append(of_answer(member, prompt.text, prompt.answer, supports))
    return found


def of_answer(member: Member, prompt: str, answer: str, supports: tuple[int, ...]) -> Question:
    """An answer that is known, whether the model would write it or not; cut to the context."""
    loaded = member.loaded
    read = encode_prompt(prompt, loaded.tokenizer, loaded.context, loaded.specials).ids
    written = loaded.tokenizer(f" {answer.strip()}", add_special_tokens=False)["input_ids"]
    return Question((*read, *written)[: loaded.context], len(read), f"{prompt} {answer}", supports)
