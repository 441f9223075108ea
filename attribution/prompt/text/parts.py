"""What a prompt is made of: system, question, documents and scaffold, as characters of one text, and as token ids.

Scaffold is what nobody said: template tokens, labels, numbers, separators. A label belongs to the part that it
introduces (its owner) and falls with it, but it never counts as that part. Taking a part away is done on token ids:
the ids that stay are the ids that were, and nothing is tokenised again.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["system", "question", "document", "scaffold"]


@dataclass(frozen=True)
class Piece:
    """One part before it has a place. Scaffold may go with the `next` piece (a label) or the `last` (a separator)."""

    kind: Kind
    text: str
    title: str = ""
    goes_with: Literal["", "next", "last"] = ""


@dataclass(frozen=True)
class Part:
    """Characters [start, stop) of the prompt's text; parts follow each other and cover it all."""

    part: int
    kind: str
    title: str
    start: int
    stop: int
    owner: int = -1  # scaffold: the part that it falls with; -1 stays whatever is taken away


@dataclass(frozen=True)
class PromptText:
    """The one string that is generated from and explained, its parts, and what was done to fit it, in words."""

    text: str
    parts: tuple[Part, ...]
    notices: tuple[str, ...] = ()

    def numbers(self, kind: str) -> tuple[int, ...]:
        """The numbers of all parts of one kind."""
        return tuple(part.part for part in self.parts if part.kind == kind)


def assemble(pieces: Sequence[Piece], notices: Sequence[str] = ()) -> PromptText:
    """Pieces in reading order as one text; empty pieces vanish, and so does the scaffold that goes with them."""
    owners = [_owner(pieces, i) for i in range(len(pieces))]
    kept = [i for i, piece in enumerate(pieces) if piece.text and (owners[i] < 0 or pieces[owners[i]].text)]
    parts: list[Part] = []
    start = 0
    for number, i in enumerate(kept):
        stop = start + len(pieces[i].text)
        owner = kept.index(owners[i]) if owners[i] >= 0 else -1
        parts.append(Part(number, pieces[i].kind, pieces[i].title, start, stop, owner))
        start = stop
    return PromptText("".join(pieces[i].text for i in kept), tuple(parts), tuple(notices))


def token_parts(text: str, spans: Sequence[tuple[int, int]], parts: Sequence[Part]) -> tuple[int, ...]:
    """The part of every token, by its first character that is no white space; -1 for tokens without characters (bos).

    A token that is nothing but white space belongs where it begins.
    """
    numbers = []
    number = 0
    for start, stop in spans:
        if start == stop:
            numbers.append(-1)
            continue
        covered = text[start:stop]
        first = start + (len(covered) - len(covered.lstrip()) if covered.strip() else 0)
        while number > 0 and first < parts[number].start:
            number -= 1
        while number + 1 < len(parts) and first >= parts[number].stop:
            number += 1
        numbers.append(parts[number].part)
    return tuple(numbers)


def without(
    ids: Sequence[int], of_token: Sequence[int], parts: Sequence[Part], gone: Collection[int]
) -> tuple[int, ...]:
    """The ids that stay when the parts `gone` are taken away with their labels."""
    falls = set(gone) | {part.part for part in parts if part.owner in gone}
    return tuple(token for token, number in zip(ids, of_token, strict=True) if number not in falls)


def without_documents(ids: Sequence[int], of_token: Sequence[int], parts: Sequence[Part]) -> tuple[int, ...]:
    """The prompt as if nothing had been retrieved."""
    return without(ids, of_token, parts, {part.part for part in parts if part.kind == "document"})


def nothing(ids: Sequence[int], of_token: Sequence[int], parts: Sequence[Part]) -> tuple[int, ...]:
    """Only what stays whatever is taken away: bos and the template's own words."""
    return without(ids, of_token, parts, {part.part for part in parts if part.kind != "scaffold"})


def _owner(pieces: Sequence[Piece], index: int) -> int:
    """The piece that a piece of scaffold goes with: the nearest one on its side that goes with no other; else -1."""
    side = pieces[index].goes_with
    if not side:
        return -1
    step = 1 if side == "next" else -1
    index += step
    while 0 <= index < len(pieces) and pieces[index].kind == "scaffold":
        index += step
    return index if 0 <= index < len(pieces) else -1
