"""The tokens around what a model reads: what it was trained to see first, and what ends a text or an answer.

begin   what the tokenizer itself puts before a text; else its bos where that is its eos too (one token then separates
        the documents, and stands before each of them); else none
end     the tokenizer's eos, after every training document
stops   what ends an answer: the eos ids of generation_config.json, as `generate` has them; else the tokenizer's eos

A chat template writes everything that its conversations begin with, so nothing is put before them. A tokenizer does not
always say how it was used: `[[model]] begin` and `end` overrule all of this, before conversations too.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput

AUTO = "auto"


@dataclass(frozen=True)
class Specials:
    """Token ids; None where there is none."""

    begin: int | None  # before a document, and before a prompt of plain text
    template_begin: int | None  # before a prompt that a chat template rendered
    end: int | None  # after a document
    stops: tuple[int, ...]  # each ends an answer


def choose_specials(
    tokenizer: PreTrainedTokenizerBase, stops: Sequence[int] = (), begin: str = AUTO, end: Sequence[str] = ()
) -> Specials:
    """From the tokenizer, the eos ids of the model's generation settings, and what the configuration says.

    begin: a token as text, "" for none.   end: tokens as text, of which the first closes a document and each stops an
    answer; [""] closes none; empty: from the tokenizer. Raises BadInput for text that is no token.
    """
    eos = None if tokenizer.eos_token_id is None else int(tokenizer.eos_token_id)
    own = _begin(tokenizer) if begin == AUTO else _id(begin, "begin", tokenizer)
    named = [_id(each, "end", tokenizer) for each in end]
    given = tuple(each for each in named if each is not None)
    usual = tuple(map(int, stops)) or (() if eos is None else (eos,))
    return Specials(
        begin=own,
        template_begin=None if begin == AUTO else own,
        end=named[0] if named else eos,
        stops=given or usual,
    )


def as_it_was(tokenizer: PreTrainedTokenizerBase, chosen: Specials) -> bool:
    """Whether they are bos (eos where there is none) and eos: what stages that were stored before read, too."""
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    begin = eos if bos is None else bos
    return chosen == Specials(begin, None, eos, () if eos is None else (eos,))


def _begin(tokenizer: PreTrainedTokenizerBase) -> int | None:
    bare, whole = (tokenizer("a", add_special_tokens=added, verbose=False)["input_ids"] for added in (False, True))
    if whole[:1] != bare[:1] and whole[0] in tokenizer.all_special_ids:
        return int(whole[0])
    bos = tokenizer.bos_token_id
    return int(bos) if bos is not None and bos == tokenizer.eos_token_id else None


def _id(text: str, key: str, tokenizer: PreTrainedTokenizerBase) -> int | None:
    if not text:
        return None
    known = tokenizer.get_vocab()
    if text not in known:
        raise BadInput(
            f"expected a token of the tokenizer for [[model]] {key}, found {text!r}; write it as it is there"
        )
    return int(known[text])
