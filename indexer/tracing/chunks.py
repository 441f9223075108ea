"""Queries that are explained together: as many as their directions fit into the memory, or onto the disk, whatever
answer and part of a build they belong to. Each chunk passes its documents anew.

The queries of an answer are its tokens, in order, and after them those of its spans that have several."""

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

Stretch = tuple[int, range]  # number of an answer, and queries of it


@dataclass(frozen=True)
class Chunk:
    """Queries whose directions are held together; those of each stretch fit into the memory."""

    stretches: tuple[Stretch, ...]
    shelf: Path | None  # the folder whose disk holds them; None: the memory does

    @property
    def n(self) -> int:
        """Queries."""
        return sum(len(queries) for _, queries in self.stretches)

    def held(self, made: Iterable[Directions]) -> Directions:
        """All of them as one.    made: of each stretch, in order"""
        if self.shelf is None:
            return join_directions(made)
        shelf = Shelf(self.shelf)
        for of in made:
            shelf.add(of)
        return shelf.directions()


def chunks(
    terms: Sequence[Term], answers: Sequence[Answer], folder: Path, spans: Sequence[Sequence[range]] = ()
) -> list[Chunk]:
    """All tokens of the answers, in order, and some spans of each.

    terms: of the score, which are held side by side   folder: where directions may lie that the memory does not hold
    """
    most = min((term.asked.schedule.share(HELD) for term in terms), default=1)
    of_each = spans or [[]] * len(answers)
    n_targets = [each.n_targets + len(of) for each, of in zip(answers, of_each, strict=True)]
    n_measured = [
        (each.n_targets + sum(map(len, of))) / n for each, of, n in zip(answers, of_each, n_targets, strict=True)
    ]
    sizes = [
        sum(_bytes_of_query(term, each, n, m) for term in terms)
        for each, n, m in zip(answers, n_targets, n_measured, strict=True)
    ]
    if sum(n * size for n, size in zip(n_targets, sizes, strict=True)) <= most:
        return [Chunk(tuple(of), None) for of in cut(n_targets, sizes, most)]
    shelved = room(folder)
    return [
        Chunk(tuple(piece for a, of in stretches for piece in pieces_of(a, of, most // sizes[a])), folder)
        if shelved > most
        else Chunk(tuple(stretches), None)
        for stretches in cut(n_targets, sizes, max(most, shelved))
    ]


def answers_together(terms: Sequence[Term], answers: Sequence[Answer]) -> list[list[int]]:
    """Numbers of the answers, each asked for as a whole, as many together as the memory holds."""
    most = min((term.asked.schedule.share(HELD) for term in terms), default=1)
    sizes = [max(_bytes_of_query(term, each, 1, each.n_targets) for term in terms) for each in answers]
    return [[a for a, _ in stretches] for stretches in cut([1] * len(answers), sizes, most)]


def pieces_of(a: int, queries: range, most: int) -> list[Stretch]:
    """Some queries of an answer, at most so many at a time, one at least."""
    return [(a, queries[start : start + max(1, most)]) for start in range(0, len(queries), max(1, most))]


def _bytes_of_query(term: Term, answer: Answer, n_queries: int, n_measured: float) -> int:
    """n_measured: tokens of a query, on average"""
    n_read = len(answer.ids)
    n_together = min(n_queries, at_once(term.asked, n_read))
    return bytes_of_query(term.asked, term.preconditioner, n_read, max(1, n_together), n_measured)


def cut(n_targets: Sequence[int], sizes: Sequence[int], most: int) -> list[list[Stretch]]:
    """n_targets: queries of each answer   sizes: bytes of one   most: bytes of a chunk, which has one query at least"""
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
