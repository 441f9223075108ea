"""A training document as it is drawn: what training read of it, who says what, its windows, and what it never read.

Every window's tokens are put back where they stand in the text; what a place carries is the sum over the windows that
read it, as the document's influence is. With more text than there is room for, the passage where the heat lies.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dashboard.database.records import AsRead, StoredDocument
from dashboard.database.turns import Spoken, head_of, spoken
from dashboard.drawing.heat import heated
from dashboard.drawing.passage import Range, passage
from dashboard.drawing.shapes import LABELS, Heated
from indexer.corpus.turns import is_pair

Find = Callable[[str], Sequence[Range]]


@dataclass(frozen=True)
class Drawn:
    """pieces: of the passage; before, after: characters left out; windows: first and last one shown, from 1."""

    pieces: list[Heated]
    before: int = 0
    after: int = 0
    windows: Range = (1, 1)
    n_windows: int = 1
    n_unread: int = 0  # characters that were cut off

    @property
    def words(self) -> str:
        """The passage in one line, without roles and windows."""
        said = " ".join("".join(piece.text for piece in self.pieces if piece.kind not in LABELS).split())
        return f"{'… ' if self.before else ''}{said}{' …' if self.after else ''}"


@dataclass
class _Place:
    """Characters of what was read, by one token or by the same one in several windows."""

    start: int
    stop: int
    value: float
    learned: bool
    window: int


class Held(NamedTuple):
    """Characters of a text that are the words of turn number `of`."""

    role: str
    start: int
    stop: int
    of: int


def drawn(
    document: StoredDocument,
    read: AsRead | None,
    values: Sequence[float] | None,
    high: float,
    longest: int,
    find: Find | None = None,
) -> Drawn:
    """At most `longest` characters of a document.

    values: of its tokens, None where none are stored; high: what is drawn in full colour. find: the characters to show
    where there is no heat, of the text as it is drawn, which is not the stored one where a template wrote it.
    """
    if read is None:
        return shown([Heated(document.text)], longest, find)
    places = _places(read, values)
    turns, pair = spoken(document.turns), is_pair(document.turns)
    text = _as_read(read, places) if document.turns else document.text
    held = turn_places(text, turns)
    pieces: list[Heated] = []
    at, window, owner, next_turn = 0, 0, -1, 0
    for place in places:
        while next_turn < len(held) and held[next_turn].stop <= place.start:
            next_turn += 1
        mine = next_turn if next_turn < len(held) and held[next_turn].start < place.stop else -1
        if place.start > at:
            pieces.append(Heated(text[at : place.start], None, "template" if held and mine < 0 else ""))
        if place.window > window:
            window = place.window
            if not pair:  # whose roles say where the other answer begins
                pieces.append(Heated(f"window {window + 1} of {max(read.windows) + 1}", None, "window"))
        if mine >= 0 and mine != owner:
            owner = mine
            pieces.insert(_head(pieces), Heated(held[mine].role, None, "role"))
        kind = "template" if held and mine < 0 else "" if place.learned else "read"
        pieces.append(Heated(text[place.start : place.stop], None if values is None else place.value / high, kind))
        at = place.stop
    rest = text[at:]
    n_unread = _n_unread(text, held, turns) if turns else len(rest.strip())
    if rest:
        pieces.append(Heated(rest, None, "unread" if n_unread and not turns else ""))
    n_windows = 1 if pair else max(read.windows, default=0) + 1
    return shown(pieces, longest, find, n_windows, n_unread)


def _head(pieces: Sequence[Heated]) -> int:
    """Where the template's words before a turn begin: after the first of them, which ends the turn before."""
    first = len(pieces)
    while first and pieces[first - 1].kind in ("template", "window"):
        first -= 1
    run = [piece.text if piece.kind == "template" else "" for piece in pieces[first:]]
    return first + head_of(run, begins=not first)


def by_texts(
    document: StoredDocument, texts: Sequence[str], values: Sequence[float], high: float, longest: int
) -> Drawn:
    """The same where nothing but the texts of the tokens is known, as in the file of an older Whence."""
    return shown(heated(document.text, texts, values, high), longest)


def shown(
    pieces: Sequence[Heated], longest: int, find: Find | None = None, n_windows: int = 1, n_unread: int = 0
) -> Drawn:
    """The passage of the pieces that is shown: by their heat and marks, else by what `find` finds in it."""
    text = "".join(piece.text for piece in pieces if piece.kind not in LABELS)
    spans, weights, at = [], [], 0
    for piece in pieces:
        if piece.kind in LABELS:
            continue
        stop = at + len(piece.text)
        if piece.amount is not None and piece.text:
            spans.append((at, stop))
            weights.append(1.0 if isinstance(piece.amount, str) else abs(piece.amount))
        at = stop
    if find and not any(weights) and len(text) > longest:
        spans = list(find(text))
        weights = [1.0] * len(spans)
    start, stop = passage(text, spans, weights, longest)
    inside, first, last = _cut(pieces, start, stop)
    return Drawn(inside, start, len(text) - stop, (first, last), n_windows, n_unread)


def turn_places(text: str, turns: Sequence[Spoken]) -> list[Held]:
    """Where the words of each turn stand in what was read, in order; the last may be cut off. A template may strip
    white space at their ends, and leave out thoughts; what else it rewrites is not found, nor is anything after it."""
    found: list[Held] = []
    blank, at = _blank(text), 0
    for i, (role, words, thought) in enumerate(turns):
        content = _blank(words)
        start, wanted = _stands(blank, content, at)
        if thought:
            after = next((_blank(each.words) for each in turns[i + 1 :] if not each.thought), "")
            if start < 0 or (after and 0 <= _stands(blank, after, at)[0] < start):
                continue  # left out: those are somebody's words further down
        if start < 0:
            start = _beginning(blank, content.strip(), at)
            return [*found, Held(role, start, len(text), i)] if start < len(text) else found
        at = start + len(wanted)
        found.append(Held(f"{role} thinks" if thought else role, start, at, i))
    return found


def _stands(text: str, content: str, at: int) -> tuple[int, str]:
    """Where the words stand from there on, and as what; -1 where they do not."""
    for wanted in (content, content.strip()):
        start = text.find(wanted, at) if wanted else -1
        if start >= 0:
            return start, wanted
    return -1, ""


def _beginning(text: str, words: str, at: int) -> int:
    """Where the words begin of which the text holds no more than a beginning; its length where there are none."""
    for start in range(at, len(text)):
        if words[:1] == text[start] and words.startswith(text[start:].rstrip()):
            return start
    return len(text)


def _blank(text: str) -> str:
    """White space of any kind as a blank: what a tokenizer does not cover is one."""
    return "".join(" " if char.isspace() else char for char in text)


def _n_unread(text: str, held: Sequence[Held], turns: Sequence[Spoken]) -> int:
    """Characters of the turns that were not reached: 0 where more follows the last turn that was found than a template
    puts between two, for then what was read goes on, in words that the template wrote anew."""
    gaps = [after.start - before.stop for before, after in zip(held, held[1:], strict=False)]
    if not held or len(text) - held[-1].stop > max(gaps, default=held[0].start) + len(held[0].role):
        return 0
    read = {each.of: each.stop - each.start for each in held}
    reached = max(read)  # thoughts before it that were not found were left out
    return sum(
        max(len(each.words.strip()) - read.get(i, 0), 0)
        for i, each in enumerate(turns)
        if i in read or (i > reached and not each.thought)
    )


def _places(read: AsRead, values: Sequence[float] | None) -> list[_Place]:
    """In the order of the text, one for each token that has a place; of what several windows read, the sum."""
    found: dict[int, _Place] = {}
    before = -1
    for i, (start, stop, window) in enumerate(zip(read.starts, read.stops, read.windows, strict=True)):
        begins, before = window != before, window
        if stop <= start:
            continue
        value = 0.0 if values is None else float(values[i])
        learned = bool(read.learned[i]) or begins  # what begins a window cannot be learned: that is as usual
        place = found.get(start)
        if place is None:
            found[start] = _Place(start, stop, value, learned, window)
        else:
            place.value += value
            place.learned |= learned
    return _apart(sorted(found.values(), key=lambda place: place.start))


def _apart(places: Sequence[_Place]) -> list[_Place]:
    """Without overlaps: what reaches into the place before it belongs to that."""
    kept: list[_Place] = []
    for place in places:
        if kept and place.start < kept[-1].stop:
            kept[-1].value += place.value
            kept[-1].stop = max(kept[-1].stop, place.stop)
        else:
            kept.append(place)
    return kept


def _as_read(read: AsRead, places: Sequence[_Place]) -> str:
    """What was read, from its tokens; what none of them covers is a blank."""
    chars = [" "] * max((place.stop for place in places), default=0)
    for text, start, stop in zip(read.texts, read.starts, read.stops, strict=True):
        if stop - start == len(text):
            chars[start:stop] = text
    return "".join(chars)


def _cut(pieces: Sequence[Heated], start: int, stop: int) -> tuple[list[Heated], int, int]:
    """The pieces between two characters, begun by the role whose words they are; the windows that they are from."""
    kept: list[Heated] = []
    role: Heated | None = None
    at, window, windows, begins = 0, 1, [1], False
    for piece in pieces:
        if at >= stop > start:
            break
        if piece.kind in LABELS:
            window += piece.kind == "window"
            role, begins = (piece, True) if piece.kind == "role" else (role, begins)
            kept += [piece] if kept else []
            continue
        end = at + len(piece.text)
        if end > start:
            if not kept:
                windows = []
                kept += [role] if role is not None and (begins or piece.kind != "template") else []
            kept.append(piece._replace(text=piece.text[max(start - at, 0) : stop - at]))
            windows.append(window)
        at, begins = end, False
    return kept, windows[0], windows[-1]
