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
    """Token ids; nothing where there is none."""

    begin: tuple[int, ...]  # before a document, and before a prompt of plain text; GLM has two of them
    template_begin: tuple[int, ...]  # before a prompt that a chat template rendered
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
    own = _begin(tokenizer) if begin == AUTO else _ids(begin, "begin", tokenizer)
    given = tuple(i for each in end for i in _ids(each, "end", tokenizer))
    closes = _ids(end[0], "end", tokenizer) if end else () if eos is None else (eos,)
    usual = tuple(map(int, stops)) or (() if eos is None else (eos,))
    return Specials(
        begin=own,
        template_begin=() if begin == AUTO else own,
        end=closes[0] if closes else None,
        stops=given or usual,
    )


def _begin(tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    bare, whole = (tokenizer("a", add_special_tokens=added, verbose=False)["input_ids"] for added in (False, True))
    special = set(tokenizer.all_special_ids)
    n = next((n for n in range(len(whole)) if whole[n : n + len(bare)] == bare), 0)
    if n and set(whole[:n]) <= special:
        return tuple(map(int, whole[:n]))
    if whole[:1] != bare[:1] and whole[0] in special:  # behind it, "a" is written otherwise
        return (int(whole[0]),)
    bos = tokenizer.bos_token_id
    return (int(bos),) if bos is not None and bos == tokenizer.eos_token_id else ()


def _ids(text: str, key: str, tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """The id of one token; none for ""."""
    if not text:
        return ()
    known = tokenizer.get_vocab()
    if text not in known:
        raise BadInput(
            f"expected a token of the tokenizer for [[model]] {key}, found {text!r}; write it as it is there"
        )
    return (int(known[text]),)
