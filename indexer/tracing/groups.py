"""Answers that are scored together: as many as their query directions fit into memory."""

from collections.abc import Sequence

BUDGET = 2 << 30  # bytes of query directions that are held at once


def groups(n_targets: Sequence[int], n_tracked: int, budget: int = BUDGET) -> list[list[int]]:
    """Consecutive answers whose directions fit into the budget together; a document is read once per group.

    n_targets: generated tokens of each answer.   n_tracked: parameters of one direction.
    """
    made: list[list[int]] = []
    room = 0
    for i, n in enumerate(n_targets):
        need = n * n_tracked * 4
        if not made or need > room:
            made.append([])
            room = budget
        made[-1].append(i)
        room -= need
    return made
