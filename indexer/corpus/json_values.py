"""JSON values that stand one after another, or in one array, read piece by piece: never more than one value is held;
and a cell of a table as JSON has it."""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from attribution.errors import BadInput

CHUNK = 1 << 16  # characters that are read at a time, at least
_SPACE = re.compile(r"[ \t\r\n]*")
_GOES_ON = re.compile(r"\.?|[eE][+-]?")  # what may stand behind a number that a piece cuts
_CUT = 16  # characters before the end of a piece within which a value may only look wrong because it goes on


def json_values(read: Callable[[int], str]) -> Iterator[Any]:
    """Every value of a text, or of the array that it is; `read(n)` gives its next characters, "" at its end.

    Raises ValueError with the line for what is not JSON, RecursionError for what is nested beyond reason.
    """
    text = _Text(read)
    in_array = text.next_is("[")
    first = True
    while True:
        if in_array and text.next_is("]"):
            in_array = False
            if text.skip_space():
                raise text.wrong("more after the end of the array")
            return
        if in_array and not first and not text.next_is(","):
            raise text.wrong("no comma between two values" if text.skip_space() else "no end of the array")
        if not text.skip_space():
            if in_array:
                raise text.wrong("no end of the array")
            return
        yield text.value()
        first = False


def as_json(value: Any, field: str) -> Any:
    """What a cell holds, with dates and times as ISO text and numbers without a type of JSON as they are written.

    Raises BadInput, naming the field, for bytes and anything else that JSON cannot say.
    """
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta | Decimal | UUID):
        return str(value)
    if isinstance(value, list | tuple):
        return [as_json(each, field) for each in value]
    if isinstance(value, dict):
        return {str(name): as_json(each, f"{field}.{name}") for name, each in value.items()}
    raise BadInput(f"expected text, numbers or dates in {field!r}, found {type(value).__name__}; write it as text")


class _Text:
    """What is read and not yet taken."""

    def __init__(self, read: Callable[[int], str]) -> None:
        self._read, self._decoder = read, json.JSONDecoder()
        self._held, self._at, self._line = "", 0, 1

    def skip_space(self) -> bool:
        """Whether anything follows."""
        while True:
            found = _SPACE.match(self._held, self._at)
            self._take(found.end() if found else self._at)
            if self._at < len(self._held):
                return True
            if not self._more():
                return False

    def next_is(self, character: str) -> bool:
        """Takes the character where it is next."""
        if not self.skip_space() or self._held[self._at] != character:
            return False
        self._take(self._at + 1)
        return True

    def value(self) -> Any:
        while True:
            try:
                value, stop = self._decoder.raw_decode(self._held, self._at)
            except json.JSONDecodeError as error:
                cut = error.msg.startswith("Unterminated") or error.pos >= len(self._held) - _CUT
                if cut and self._more():
                    continue
                self._line += self._held.count("\n", self._at, error.pos)
                raise self.wrong(error.msg) from None
            if self._held[stop - 1] not in '}]"' and _GOES_ON.fullmatch(self._held, stop) and self._more():
                continue
            self._take(stop)
            return value

    def wrong(self, what: str) -> ValueError:
        return ValueError(f"{what} at line {self._line}")

    def _take(self, stop: int) -> None:
        self._line += self._held.count("\n", self._at, stop)
        self._at = stop

    def _more(self) -> bool:
        """At least as much as is held: a long value is not looked at again for every piece of it."""
        piece = self._read(max(CHUNK, len(self._held) - self._at))
        self._held, self._at = self._held[self._at :] + piece, 0
        return bool(piece)
