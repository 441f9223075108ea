"""Generated tokens that are explained together: as many as their directions fit into the memory, whatever answer and
part of a build they belong to."""

from collections.abc import Sequence

from attribution.query.passes import at_once
from attribution.query.settled import HELD
from attribution.query.solve import bytes_of_query
from indexer.size.answers import Answer
from indexer.size.terms import Term

Stretch = tuple[int, range]  # number of an answer, and positions of it


def chunks(terms: Sequence[Term], answers: Sequence[Answer]) -> list[list[Stretch]]:
    """All tokens of the answers, in order.    terms: of the score, which are held side by side"""
    most = min((term.asked.schedule.share(HELD) for term in terms), default=1)
    sizes = [sum(_bytes_of_token(of, each) for of in terms) for each in answers]
    return cut([each.n_targets for each in answers], sizes, most)


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
