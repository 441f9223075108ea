"""Generated tokens that are explained together: as many as their directions fit into the memory, or onto the disk,
whatever answer and part of a build they belong to. Each chunk passes its documents anew."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from attribution.query.directions import Directions, join_directions
from attribution.query.passes import at_once
from attribution.query.settled import HELD
from attribution.query.shelf import Shelf, room
from attribution.query.solve import bytes_of_query
from indexer.size.answers import Answer
from indexer.size.terms import Term

Stretch = tuple[int, range]  # number of an answer, and positions of it


@dataclass(frozen=True)
class Chunk:
    """Tokens whose directions are held together; those of each stretch fit into the memory."""

    stretches: tuple[Stretch, ...]
    shelf: Path | None  # the folder whose disk holds them; None: the memory does

    @property
    def n(self) -> int:
        """Tokens."""
        return sum(len(positions) for _, positions in self.stretches)

    def held(self, made: Iterable[Directions]) -> Directions:
        """All of them as one.    made: of each stretch, in order"""
        if self.shelf is None:
            return join_directions(made)
        shelf = Shelf(self.shelf)
        for of in made:
            shelf.add(of)
        return shelf.directions()


def chunks(terms: Sequence[Term], answers: Sequence[Answer], folder: Path) -> list[Chunk]:
    """All tokens of the answers, in order.

    terms: of the score, which are held side by side   folder: where directions may lie that the memory does not hold
    """
    most = min((term.asked.schedule.share(HELD) for term in terms), default=1)
    sizes = [sum(_bytes_of_token(of, each) for of in terms) for each in answers]
    n_targets = [each.n_targets for each in answers]
    if sum(n * size for n, size in zip(n_targets, sizes, strict=True)) <= most:
        return [Chunk(tuple(of), None) for of in cut(n_targets, sizes, most)]
    shelved = room(folder)
    return [
        Chunk(tuple(piece for a, of in stretches for piece in pieces_of(a, of, most // sizes[a])), folder)
        if shelved > most
        else Chunk(tuple(stretches), None)
        for stretches in cut(n_targets, sizes, max(most, shelved))
    ]


def pieces_of(a: int, positions: range, most: int) -> list[Stretch]:
    """Some positions of an answer, at most so many at a time, one at least."""
    return [(a, positions[start : start + max(1, most)]) for start in range(0, len(positions), max(1, most))]


def _bytes_of_token(term: Term, answer: Answer) -> int:
    n_read = len(answer.ids)
    n_together = min(answer.n_targets, at_once(term.asked, n_read))
    return bytes_of_query(term.asked, term.preconditioner, n_read, max(1, n_together))


def cut(n_targets: Sequence[int], sizes: Sequence[int], most: int) -> list[list[Stretch]]:
    """n_targets: tokens of each answer   sizes: bytes of one token   most: bytes of a chunk, which has one at least"""
    made: list[list[Stretch]] = []
    room = 0
    for a, (n, size) in enumerate(zip(n_targets, sizes, strict=True)):
        start = 0
        while start < n:
            if not made or size > room:
                made.append([])
                room = max(most, size)
            stop = min(n, start + room // size)
            made[-1].append((a, range(start, stop)))
            room -= (stop - start) * size
            start = stop
    return made
