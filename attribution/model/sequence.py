"""What the model reads: how a document or a prompt becomes token ids. Every other file asks here.

A document is `<bos> text <eos>`; a prompt is `<bos> text`, and its answer follows. Tokenizers without a bos use
their eos in its place. Spans are characters of the text, the only unit in which tokenizers agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput


@dataclass(frozen=True)
class Encoded:
    """Token ids and, for each, the characters of the text that it covers; specials have start == stop."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    cut: int = 0  # tokens of the text that did not fit into the context

    def __len__(self) -> int:
        return len(self.ids)


def begin_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that stands before every text; raises BadInput where a tokenizer has neither bos nor eos."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise BadInput("expected a tokenizer with a bos or eos token, found neither; set one in tokenizer_config.json")


def end_tokens(tokenizer: PreTrainedTokenizerBase) -> tuple[int, ...]:
    """The ids that end an answer."""
    return () if tokenizer.eos_token_id is None else (int(tokenizer.eos_token_id),)


def encode_document(text: str, tokenizer: PreTrainedTokenizerBase, context: int) -> Encoded:
    """A training text as the model saw it, cut to `context` ids; `cut` says how many tokens were lost."""
    ids, spans = _tokens(text, tokenizer)
    ids = (begin_token(tokenizer), *ids, *end_tokens(tokenizer)[:1])
    spans = ((0, 0), *spans, *[(len(text), len(text))] * (len(ids) - len(spans) - 1))
    return Encoded(ids[:context], spans[:context], cut=max(0, len(ids) - context))


def encode_prompt(text: str, tokenizer: PreTrainedTokenizerBase, context: int) -> Encoded:
    """A prompt with room for at least one answer token; raises BadInput where there is none, or nothing to read."""
    if not text.strip():
        raise BadInput("expected a prompt, found an empty text; write what the model shall continue")
    ids, spans = _tokens(text, tokenizer)
    begin = begin_token(tokenizer)
    if ids[:1] != (begin,):  # a chat template may have written it already
        ids, spans = (begin, *ids), ((0, 0), *spans)
    if len(ids) >= context:
        raise BadInput(
            f"expected a prompt of fewer than {context} tokens, which is the model's context, "
            f"found {len(ids)}; shorten it or choose a model with a longer context"
        )
    return Encoded(ids, spans)


def vocabulary(tokenizer: PreTrainedTokenizerBase, rows: int) -> list[str]:
    """The text of every row of an embedding. Some have more rows than the tokenizer has entries, for speed; what stands
    there is named by its number."""
    last = max(tokenizer.get_vocab().values())
    return [str(tokenizer.decode([i])) if i <= last else f"<id {i}>" for i in range(max(rows, last + 1))]


def disjoint(spans: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans of a text that do not overlap, for whoever joins tokens to read it again.

    Byte-level tokenizers spread an emoji over several ids and give each of them all of it: the last one keeps it.
    """
    made: list[tuple[int, int]] = []
    following = spans[-1][1] if spans else 0
    for start, stop in reversed(spans):
        made.append((min(start, following), min(stop, following)))
        following = made[-1][0]
    return made[::-1]


def answer_spans(ids: tuple[int, ...], tokenizer: PreTrainedTokenizerBase) -> tuple[str, list[tuple[int, int]]]:
    """The text of generated ids and the characters of it that each id added.

    A character spread over several ids belongs to the one that completes it; an end token adds nothing.
    """
    text, spans = "", []
    for n in range(1, len(ids) + 1):
        grown = str(tokenizer.decode(list(ids[:n]), skip_special_tokens=True, clean_up_tokenization_spaces=False))
        if grown.endswith("\N{REPLACEMENT CHARACTER}") and n < len(ids):
            grown = text
        spans.append((len(text), max(len(text), len(grown))))
        text = grown if len(grown) >= len(text) else text
    return text, spans


def _tokens(text: str, tokenizer: PreTrainedTokenizerBase) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    return tuple(encoding["input_ids"]), tuple((int(a), int(b)) for a, b in encoding["offset_mapping"])
