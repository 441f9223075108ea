"""Which characters of a text each of its tokens covers, for tokenizers that say it and for those that do not."""

from typing import TypeAlias

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput

Ids: TypeAlias = tuple[int, ...]
Spans: TypeAlias = tuple[tuple[int, int], ...]


def tokens_of(text: str, tokenizer: PreTrainedTokenizerBase) -> tuple[Ids, Spans]:
    """Ids of a text without anything around it, and the characters [start, stop) of each.

    A tokenizer without offsets (ByT5) is asked by decoding. Raises BadInput where what it decodes is not the text.
    """
    if tokenizer.is_fast:
        encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        return tuple(encoding["input_ids"]), tuple((int(a), int(b)) for a, b in encoding["offset_mapping"])
    ids = tuple(int(i) for i in tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])
    return ids, _decoded(text, ids, tokenizer)


def _decoded(text: str, ids: Ids, tokenizer: PreTrainedTokenizerBase) -> Spans:
    """Tokens are taken together until they decode to what comes next in the text; all of them cover those characters,
    as byte-level tokenizers with offsets say it of an emoji."""
    spans: list[tuple[int, int]] = []
    at = before = first = 0  # `before`: where the last piece began, as many decoders drop the space of a first word
    for n in range(1, len(ids) + 1):
        piece = _text(ids[before:n], tokenizer)[len(_text(ids[before:first], tokenizer)) :]
        whole = piece and not piece.endswith("\N{REPLACEMENT CHARACTER}")
        if not whole or not text.startswith(piece, at):
            continue
        spans += [(at, at + len(piece))] * (n - first)
        at, before, first = at + len(piece), first, n
    if at != len(text) or first != len(ids):
        raise BadInput(
            f"expected a tokenizer that says which characters a token covers, or decodes to the text, found one that "
            f"loses its way at {text[at : at + 20]!r}; use a fast tokenizer (tokenizer.json)"
        )
    return tuple(spans)


def _text(ids: Ids, tokenizer: PreTrainedTokenizerBase) -> str:
    return str(tokenizer.decode(list(ids), clean_up_tokenization_spaces=False)) if ids else ""
