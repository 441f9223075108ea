"""What the model reads: how a document or a prompt becomes token ids. Every other file asks here.

A document is `<begin> text <end>`; a prompt is `<begin> text`, and its answer follows; which tokens these are, and
whether there are any, `specials` says. A text that has them already gets them once. Spans are characters of the text,
the only unit in which tokenizers agree.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.loading.specials import Specials, choose_specials
from attribution.model.offsets import tokens_of


@dataclass(frozen=True)
class Encoded:
    """Token ids and, for each, the characters of the text that it covers; specials have start == stop."""

    ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]
    cut: int = 0  # tokens of the text that did not fit into the context

    def __len__(self) -> int:
        return len(self.ids)


def begin_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that `train` puts between documents; raises BadInput where a tokenizer has neither bos nor eos."""
    for token in (tokenizer.bos_token_id, tokenizer.eos_token_id):
        if token is not None:
            return int(token)
    raise BadInput("expected a tokenizer with a bos or eos token, found neither; set one in tokenizer_config.json")


def encode_document(
    text: str, tokenizer: PreTrainedTokenizerBase, context: int, specials: Specials | None = None
) -> Encoded:
    """A training text as the model saw it, cut to `context` ids; `cut` says how many tokens were lost.

    specials: None takes those of the tokenizer. An end token that white space follows is the text's end, too.
    """
    around = specials or choose_specials(tokenizer)
    ids, spans = tokens_of(text, tokenizer)
    said = len(ids)
    while said and not text[slice(*spans[said - 1])].strip():
        said -= 1
    if around.end is not None and ids[said - 1 : said] != (around.end,):
        ids, spans = (*ids, around.end), (*spans, (len(text), len(text)))
    ids, spans = begun(ids, spans, around.begin)
    return Encoded(ids[:context], spans[:context], cut=max(0, len(ids) - context))


def encode_prompt(
    text: str,
    tokenizer: PreTrainedTokenizerBase,
    context: int,
    specials: Specials | None = None,
    templated: bool = False,
) -> Encoded:
    """A prompt with room for at least one answer token; raises BadInput where there is none, or nothing to read.

    templated: a chat template rendered it, which writes what its conversations begin with.
    """
    if not text.strip():
        raise BadInput("expected a prompt, found an empty text; write what the model shall continue")
    around = specials or choose_specials(tokenizer)
    ids, spans = tokens_of(text, tokenizer)
    if not ids:
        raise BadInput(f"expected a prompt, found {text[:40]!r}, of which the tokenizer keeps nothing; write words")
    ids, spans = begun(ids, spans, around.template_begin if templated else around.begin)
    if len(ids) >= context:
        raise BadInput(
            f"expected a prompt of fewer than {context} tokens, which is the model's context, "
            f"found {len(ids)}; shorten it"
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


def answer_spans(
    ids: tuple[int, ...], tokenizer: PreTrainedTokenizerBase, before: tuple[int, ...] = ()
) -> tuple[str, list[tuple[int, int]]]:
    """The text of generated ids and the characters of it that each id added.

    before: the prompt's ids; many decoders drop the space of a first word, which an answer has inside its prompt.
    A character spread over several ids belongs to the one that completes it; an end token adds nothing.
    """
    text, spans = "", []
    read = len(decoded(before, tokenizer)) if before else 0
    for n in range(1, len(ids) + 1):
        grown = decoded((*before, *ids[:n]), tokenizer)[read:]
        if grown.endswith("\N{REPLACEMENT CHARACTER}") and n < len(ids):
            grown = text
        spans.append((len(text), max(len(text), len(grown))))
        text = grown if len(grown) >= len(text) else text
    return text, spans


def decoded(ids: Sequence[int], tokenizer: PreTrainedTokenizerBase) -> str:
    """The text of some ids without special tokens, as it is."""
    return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))


def begun(
    ids: tuple[int, ...], spans: tuple[tuple[int, int], ...], begin: tuple[int, ...]
) -> tuple[tuple[int, ...], tuple[tuple[int, int], ...]]:
    """With the tokens that stand before a text, once."""
    if ids[: len(begin)] == begin:
        return ids, spans
    return (*begin, *ids), (*((0, 0) for _ in begin), *spans)
