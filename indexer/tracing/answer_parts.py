"""Answers that are one part of the influence stage: a part is done or not when a build is interrupted, and processes
share out parts. How many of its tokens are explained at once is another matter: see `chunks`."""

from collections.abc import Sequence

SIZE = 2 << 30  # bytes that the directions of a part have, formed: a measure of work
TOKENS = 128  # of a part at least: each part reads its documents anew


def answer_parts(n_targets: Sequence[int], n_tracked: int, size: int = SIZE, least: int = TOKENS) -> list[list[int]]:
    """Consecutive answers.

    n_targets: generated tokens of each answer.   n_tracked: parameters of one direction.
    """
    made: list[list[int]] = []
    room = n_tokens = 0
    for i, n in enumerate(n_targets):
        need = n * n_tracked * 4
        if not made or (need > room and n_tokens + n > least):
            made.append([])
            room, n_tokens = size, 0
        made[-1].append(i)
        room -= need
        n_tokens += n
    return made
