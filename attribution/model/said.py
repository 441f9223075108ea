"""What a chat template made of somebody's words: kept as they are, or stripped of white space at their ends; what an
assistant thought may be left out.

A conversation is rendered twice: with the words, and with a marker in place of each. What stands between the markers is
the template's own, and the rest must be the words.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]
Range = tuple[int, int]

THOUGHTS = ("reasoning_content", "thinking", "reasoning")  # of an assistant's message, beside `content`
_OPEN, _CLOSE = "\ue000", "\ue001"  # private use: no template writes them
_MARKER = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_TAG = re.compile("(</?think>)")
_STRIPPED = tuple(strip for of in (None, "\n") for strip in ((of, of), ("", of), (of, "")))  # left, right


@dataclass(frozen=True)
class Said:
    """Words that a marker stands for.    of: the number of their message   thought: a template may leave them out"""

    of: int
    words: str
    thought: bool = False


def marker(number: int) -> str:
    """What stands in place of the words of this number."""
    return f"{_OPEN}{number}{_CLOSE}"


@dataclass(frozen=True)
class Aligned:
    """Where a text has what is said.

    places: [start, stop) of each of `said`, None for a thought that is left out   order: their numbers, in that of the
    text   wrong: the number of what the template rewrites; None for nothing, `len(said)` where only what comes after
    all words is another
    """

    said: Sequence[Said]
    places: Sequence[Range | None]
    order: Sequence[int]
    wrong: int | None

    @property
    def found(self) -> list[tuple[Said, Range]]:
        """What the text has, in its order."""
        at = ((self.said[i], self.places[i]) for i in self.order)
        return [(said, place) for said, place in at if place is not None]


def aligned(
    text: str,
    messages: Sequence[Message],
    frame: Callable[[Sequence[Message], int], str],
    more: Sequence[Said] = (),
    whole: bool = True,
) -> Aligned:
    """In the first way in which a template may take thoughts that fits; else in the first, with what is wrong.

    text: the messages, rendered   frame(messages with markers, n): the same of these, where `more`, which stands
    outside the messages, has the markers from n on   whole: False where what comes after all words is of no matter
    """
    first: Aligned | None = None
    for said, marks in ways(messages):
        made = _placed(text, frame(marks, len(said)), [*said, *more], whole)
        if made.wrong is None:
            return made
        first = first or made
    return first or Aligned((), (), (), None)


def ways(messages: Sequence[Message]) -> Iterator[tuple[list[Said], list[dict[str, Any]]]]:
    """What is said, and the messages with markers in place of it, in every way in which a template may take thoughts,
    the likeliest first: `<think>` within `content` as words like others or apart, fields beside it as words or not."""
    spoken = [each for each in messages if each.get("role") == "assistant"]
    fields = any(_is_text(each.get(name)) for each in spoken for name in THOUGHTS)
    within = any("</think>" in content_of(each) for each in spoken)
    for beside in (True, False) if fields else (False,):
        for apart in (False, True) if within else (False,):
            yield _marked(messages, beside, apart)


def _marked(messages: Sequence[Message], beside: bool, apart: bool) -> tuple[list[Said], list[dict[str, Any]]]:
    said: list[Said] = []
    made = []

    def mark(of: int, words: str, thought: bool) -> str:
        said.append(Said(of, words, thought))
        return marker(len(said) - 1)

    for i, each in enumerate(messages):
        content, other = content_of(each), dict(each)
        is_assistant = each.get("role") == "assistant"
        for name in THOUGHTS if beside and is_assistant else ():
            if _is_text(each.get(name)):
                other[name] = mark(i, each[name], True)
        if apart and is_assistant and "</think>" in content:
            pieces = _TAG.split(content)  # every other one is a tag; the last are the words
            last = len(pieces) - 1
            kept = {n for n, piece in enumerate(pieces) if n % 2 == 0 and piece.strip()}
            kept |= set() if each.get("tool_calls") else {last}
            other["content"] = "".join(
                mark(i, piece, n < last) if n in kept else piece for n, piece in enumerate(pieces)
            )
        else:
            other["content"] = "" if only_calls(each, content) else mark(i, content, False)
        made.append(other)
    return said, made


def _placed(text: str, frame: str, said: Sequence[Said], whole: bool) -> Aligned:
    found: list[Range | None] = [None] * len(said)
    order: list[int] = []
    cursor = read = 0  # in the text, in the frame
    for each in _MARKER.finditer(frame):
        i, start = int(each[1]), cursor + each.start() - read
        follows = frame.find(_OPEN, each.end())
        after = frame[each.end() : follows if follows >= 0 else len(frame)]
        words = said_at(text, start, said[i].words, after)
        if words is None or found[i] is not None or text[cursor:start] != frame[read : each.start()]:
            return Aligned(said, found, order, i)
        cursor, read = start + len(words), each.end()
        found[i] = (start, cursor)
        order.append(i)
    lacking = (i for i, place in enumerate(found) if place is None and not said[i].thought)
    wrong = next(lacking, len(said) if whole and text[cursor:] != frame[read:] else None)
    return Aligned(said, found, order, wrong)


def said_at(text: str, start: int, content: str, after: str) -> str | None:
    """`content` as it stands in `text` at `start`, where the template's own `after` follows it; None where it does not.

    A template may strip words and write white space of its own beside them: what follows tells whose it is.
    """
    kept = (content, *(content.lstrip(left).rstrip(right) for left, right in _STRIPPED))
    return next((words for words in kept if text.startswith(words + after, start)), None)


def only_calls(message: Message, content: str) -> bool:
    """Whether a message says nothing beside calls of tools, for whose words a template may then have no place."""
    return "tool_calls" in message and not content


def content_of(message: Message) -> str:
    """The words of a message; "" where there are none."""
    return str(message.get("content") or "")


def written_out(message: Message) -> str:
    """A message on a line of its own, for a model without a template and for whoever reads it: thoughts in front of the
    words, as most templates write them."""
    named = (message[name] for name in THOUGHTS if _is_text(message.get(name)))
    thought = next(named, "") if message.get("role") == "assistant" else ""
    before = f"<think>\n{thought}\n</think>\n\n" if thought else ""
    return f"{message['role']}: {before}{content_of(message)}"


def thoughts_apart(content: str) -> list[str]:
    """Thoughts that stand between tags within what an assistant says, and then its words."""
    return _TAG.split(content)[::2] if "</think>" in content else [content]


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())
