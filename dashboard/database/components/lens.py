"""The logit lens over the chosen tokens: how likely they are after each block, and from which depth on one leads. Pure.

depth = (block + 1) / blocks: 0 % is after the embedding, 100 % after the last block, in every size.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.database.components.records import LensPoint


@dataclass(frozen=True)
class Seen:
    """After one block. depth: from 0 to 1; probability: of one token, or the geometric mean of several; rank, and top,
    the most probable token there: of one token; None and '' for several."""

    depth: float
    probability: float
    rank: int | None
    top: str
    top_probability: float | None


def seen(points: Sequence[LensPoint], n_tokens: int) -> list[Seen]:
    """By depth; [] where a token or a block of the span is missing. points: of n_tokens tokens."""
    by_depth: dict[int, list[LensPoint]] = {}
    for point in points:
        by_depth.setdefault(point.depth, []).append(point)
    if not by_depth or any(len(of) != n_tokens for of in by_depth.values()):
        return []
    n_blocks = max(by_depth) + 1
    return [_seen((depth + 1) / max(n_blocks, 1), of) for depth, of in sorted(by_depth.items())]


def decided(line: Sequence[Seen]) -> float | None:
    """The depth from which on the token is the most probable one; None where it is not at the end, or for several."""
    found = None
    for each in reversed(line):
        if each.rank != 1:
            break
        found = each.depth
    return found


def _seen(depth: float, of: Sequence[LensPoint]) -> Seen:
    probability = math.exp(min(sum(point.logp for point in of) / len(of), 0.0))
    if len(of) > 1:
        return Seen(depth, probability, None, "", None)
    return Seen(depth, probability, of[0].rank, of[0].top_text, math.exp(min(of[0].top_logp, 0.0)))
