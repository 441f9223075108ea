"""A training document as token ids, with what was learned of it and the windows in which it was read.

plain text           <begin> text <end>, every token learned
messages             by the chat template; learned are the assistant's words, its thoughts where the template writes
                     them, and the token that ends each of its turns
prompt, completion   one after the other; the completion learned
input_ids            as they are; learned where `labels` are not −100

What `loss` says overrules which tokens are learned: "all", or "assistant" for the assistant's (the completion) only.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from attribution.errors import BadInput
from attribution.loading.specials import Specials
from attribution.model.offsets import tokens_of
from attribution.model.said import Message, Range
from attribution.model.sequence import begun, disjoint, encode_document
from attribution.passes.batches import Row
from attribution.trained.conversation import marked, rendered, without_template
from attribution.trained.windows import Windows, windows_of

LOSSES = ("auto", "all", "assistant")


@dataclass(frozen=True)
class Training:
    """How documents became what the model read.

    loss: one of LOSSES; "auto" learns all of a plain text, and of anything else what the model was to write.
    template: variables of the chat template.   together: documents of a packed row see those before them.
    """

    windows: Windows
    loss: str = "auto"
    template: Mapping[str, Any] = field(default_factory=dict)
    together: bool = False


@dataclass(frozen=True)
class TrainedText:
    """T ids over all windows; `text` is what they were made from."""

    text: str
    row: Row
    spans: tuple[Range, ...]  # [T] characters of `text`; specials have start == stop
    n_cut: int = 0  # tokens that training dropped
    contents: tuple[Range, ...] = ()  # characters of `text` that somebody said; () for all of it

    @property
    def window_of(self) -> tuple[int, ...]:
        """The window that each token is read in  # [T]"""
        return tuple(w for w, width in enumerate(self.row.widths) for _ in range(width))

    @property
    def covered(self) -> list[Range]:
        """The characters of every token; those of a window do not overlap, windows may  # [T]"""
        found: list[Range] = []
        for width in self.row.widths:
            found += disjoint(self.spans[len(found) : len(found) + width])
        return found

    @property
    def n_unlearned(self) -> int:
        """Tokens that were read and not learned, those that come twice among them."""
        return len(self.row) - int(self.row.targets().sum())


def trained_text(
    text: str, given: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, specials: Specials, how: Training
) -> TrainedText:
    """A document as training read it.    given: {} for plain text, else `messages`, `prompt` and `completion`, or
    `input_ids` as the header of this file has them.

    Raises BadInput for what the chat template refuses, for a shape that is none of these, and for a text of which the
    tokenizer keeps nothing.
    """
    if "input_ids" in given:
        return _of_ids(given, tokenizer, how)
    contents: Sequence[Range] = ()
    if not given:
        learned = None
    elif "messages" in given or isinstance(given.get("completion"), list):
        text, learned, contents = _conversation(given, tokenizer, how)
    elif "completion" in given:
        text = given["prompt"] + given["completion"]
        learned = [(len(given["prompt"]), len(text) + 1)]
    else:
        raise BadInput(f"expected messages, prompt and completion, or input_ids, found {', '.join(sorted(given))}")
    templated = bool(given) and not isinstance(given.get("completion"), str) and bool(tokenizer.chat_template)
    if templated:
        ids, spans = begun(*tokens_of(text, tokenizer), specials.template_begin)
    else:
        whole = encode_document(text, tokenizer, 1 << 40, specials)
        ids, spans = whole.ids, whole.spans
    if not ids:
        raise BadInput("expected words, found none that the tokenizer keeps; take the document out")
    wanted = _wanted(spans, learned, len(text)) if how.loss != "all" else np.ones(len(ids), dtype=bool)
    if templated and how.loss != "all":
        _with_ends(wanted, ids, spans, contents, set(tokenizer.all_special_ids))
    return _windowed(text, ids, spans, wanted, how, tuple(contents))


def _conversation(
    given: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, how: Training
) -> tuple[str, list[Range], list[Range]]:
    """The text, the characters that were learned, and those that somebody said."""
    asked: list[Message] = given.get("prompt", [])
    messages: list[Message] = given["messages"] if "messages" in given else [*asked, *given["completion"]]
    variables = {**how.template, **({"tools": given["tools"]} if given.get("tools") else {})}
    n = len(asked)
    if not tokenizer.chat_template:
        text, said = without_template(messages)
        learned = [(a, b + 1) for each, (a, b) in zip(messages, said, strict=True) if each["role"] == "assistant"]
        return text, [r for r in learned if r[0] >= _first(said, asked)], said
    own = marked(messages, tokenizer, variables, n)
    if own is not None:
        return own[0], own[1], []
    text, said, turns = rendered(messages, tokenizer, variables)
    answers = zip(messages[n:], turns[n:], strict=True)
    return text, [(a, b) for each, (a, b) in answers if each["role"] == "assistant" and a < b], said


def _first(places: Sequence[Range], asked: Sequence[Message]) -> int:
    """Where the words after those of a prompt begin."""
    return places[len(asked)][0] if len(asked) < len(places) else 0


def _wanted(spans: Sequence[Range], learned: Sequence[Range] | None, end: int) -> NDArray[np.bool_]:
    """Tokens with a character in one of the ranges; one that comes after the text (an end token) stands at `end`."""
    if learned is None:
        return np.ones(len(spans), dtype=bool)
    made = np.zeros(len(spans), dtype=bool)
    for n, (start, stop) in enumerate(spans):
        if start == stop:
            made[n] = start == end and n > 0 and any(a <= end < b for a, b in learned)
        else:
            made[n] = any(start < b and stop > a for a, b in learned)
    return made


def _with_ends(
    wanted: NDArray[np.bool_], ids: Sequence[int], spans: Sequence[Range], contents: Sequence[Range], special: set[int]
) -> None:
    """The control token right after words that are learned is learned, too; in place."""
    stops = {stop for _, stop in contents}
    for n in range(1, len(ids)):
        if ids[n] in special and not wanted[n] and wanted[n - 1] and spans[n][0] in stops:
            wanted[n] = True


def _of_ids(given: Mapping[str, Any], tokenizer: PreTrainedTokenizerBase, how: Training) -> TrainedText:
    ids = tuple(int(i) for i in given["input_ids"])
    if not ids or max(ids) >= len(tokenizer):
        raise BadInput(
            f"expected token ids below {len(tokenizer):,}, found {max(ids, default='none')}; give this model's"
        )
    words = [str(tokenizer.decode([i])) for i in ids]
    ends = np.cumsum([0, *map(len, words)]).tolist()
    spans = tuple(zip(ends[:-1], ends[1:], strict=True))
    labels = given.get("labels", ids)
    wanted = np.array([label >= 0 for label in labels], dtype=bool) | (how.loss == "all")
    borders = [] if how.together else list(given.get("borders", ()))
    return _windowed("".join(words), ids, spans, wanted, how, (), borders)


def _windowed(
    text: str,
    ids: Sequence[int],
    spans: Sequence[Range],
    wanted: NDArray[np.bool_],
    how: Training,
    contents: tuple[Range, ...],
    borders: Sequence[int] = (),
) -> TrainedText:
    """The ids of all windows side by side, each token learned once.    borders: where documents of a row begin"""
    starts = [0, *(b for b in borders if 0 < b < len(ids)), len(ids)]
    places: list[int] = []
    learned: list[bool] = []
    widths = []
    read = 0
    for first, last in zip(starts, starts[1:], strict=False):
        for (start, stop), new in windows_of(last - first, how.windows):
            places += range(first + start, first + stop)
            learned += [bool(wanted[first + i]) and i >= new for i in range(start, stop)]
            widths.append(stop - start)
            read = max(read, first + stop)
    row = Row(
        tuple(ids[i] for i in places),
        learned=None if all(learned) else tuple(_runs(learned)),
        windows=tuple(widths) if len(widths) > 1 else (),
    )
    n_cut = len(ids) - len(set(places))
    return TrainedText(text, row, tuple((int(a), int(b)) for a, b in (spans[i] for i in places)), n_cut, contents)


def _runs(learned: Sequence[bool]) -> list[Range]:
    """[start, stop) of every run of learned tokens."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], np.asarray(learned, dtype=np.int8), [0]])))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]
