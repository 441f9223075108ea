"""Which passage of a long text is shown: the one where its heat lies, with what is around it. Pure."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

Range = tuple[int, int]

_SENTENCE = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+|\n+|(?<=[。！？])")  # what stands between two sentences
_SPACE = re.compile(r"\s+")


def hottest(spans: Sequence[Range], weights: Sequence[float], length: int) -> Range | None:
    """Characters of the stretch of at most `length`, from the beginning of a token to the end of one, with the largest
    sum of weights; the first of several, without what weighs nothing at its ends. None where nothing weighs anything.

    spans: of the tokens, rising and apart; weights: of each, not negative. A token longer than that is one.
    """
    sums = [0.0, *accumulate(weights)]
    stops = [stop for _, stop in spans]
    best, found = 0.0, None
    for i, (start, _) in enumerate(spans):
        if not weights[i]:
            continue
        after = max(bisect_left(stops, start + length + 1), i + 1)  # tokens i … after - 1 end inside
        total = weights[i] if after == i + 1 else sums[after] - sums[i]
        if total > best:
            best, found = total, (i, after)
    if found is None:
        return None
    first, after = found
    last = max(j for j in range(first, after) if weights[j])
    return spans[first][0], spans[last][1]


def passage(text: str, spans: Sequence[Range], weights: Sequence[float], longest: int) -> Range:
    """At most `longest` characters around the hottest half of as many: at borders of sentences, else of words.

    The whole text where it is no longer; its beginning where nothing weighs anything. A single hot token that is longer
    is shown whole.
    """
    if len(text) <= longest:
        return 0, len(text)
    hot = hottest(spans, weights, longest // 2)
    if hot is None:
        return 0, _backward(text, 0, longest)
    spare = max(longest - (hot[1] - hot[0]), 0)
    start = min(max(hot[0] - spare // 2, 0), max(len(text) - longest, 0), hot[0])
    stop = max(min(start + longest, len(text)), hot[1])
    return _forward(text, start, hot[0]), _backward(text, hot[1], stop)


def _forward(text: str, start: int, most: int) -> int:
    """The first border at or after `start`; one of words where no sentence begins in the first half."""
    if start == 0:
        return 0
    for border, end in ((_SENTENCE, start + (most - start) // 2 + 1), (_SPACE, most)):
        found = border.search(text, max(start - 1, 0), end)
        if found is not None and start <= found.end() <= most:
            return found.end()
    return start


def _backward(text: str, least: int, stop: int) -> int:
    """The last border at or before `stop`; one of words where no sentence ends in the second half."""
    if stop == len(text):
        return stop
    for border, begin in ((_SENTENCE, least + (stop - least) // 2), (_SPACE, least)):
        ends = [found.start() for found in border.finditer(text, begin, stop + 1) if least < found.start() <= stop]
        if ends:
            return ends[-1]
    return stop
