"""What an evaluation asks about: tokens to be explained, and the documents that state them where they are known."""

from collections.abc import Sequence
from dataclasses import dataclass

from attribution.model.sequence import encode_prompt
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
    """A training document as a query: every token that it was learned by."""
    return Question(member.rows[index].ids, 1, member.documents[index].text, (index,))


def of_end(member: Member, index: int) -> Question:
    """The last words of a training document, a quarter of it but at most five tokens, as the answer to what stands
    before them."""
    ids = member.rows[index].ids[:-1]  # without the end token
    n = min(5, max(1, len(ids) // 4))
    return Question(ids, max(1, len(ids) - n), member.documents[index].text, (index,))


def of_token(member: Member, index: int) -> Question:
    """The token after three quarters of a training document."""
    of = of_end(member, index)
    return Question(of.ids[: of.first + 1], of.first, of.text)


def of_prompts(member: Member, prompts: Sequence[Prompt]) -> list[Question]:
    """The expected answers of the prompts whose fact stands in documents of the member; the others are left out."""
    index_of = {document_id: i for i, document_id in enumerate(member.document_ids)}
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
