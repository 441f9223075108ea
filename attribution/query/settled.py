"""How directions are kept while they meet documents: as the tokens that they come from, or formed, where they fit."""

from attribution.model.tracked import Tracked
from attribution.query.directions import Directions
from attribution.query.matrices import LayerDirections

HELD = 0.3  # of the memory, for directions


def settled(tracked: Tracked, directions: Directions, n_tokens: int, n_beside: int = 1, n_split: int = 0) -> Directions:
    """The same directions for documents of so many tokens together.

    n_beside: directions like these that are held at the same time, these included   n_split: tokens of pairs that will
    be told apart by rows or columns, for which what is made of them has to be turned back.
    Where all of them fit into the memory they are formed once, and turned back where that is less work than to turn the
    tokens: K out · in · (out + in) against n (in² + out²), and n_split times the larger of the two squares.
    """
    if 4 * n_beside * directions.n * tracked.n_linear > tracked.schedule.share(HELD):
        return directions
    back = directions.n * sum(of.n_out * of.n_in * (of.n_out + of.n_in) for of in tracked.linear)
    turning = n_tokens * sum(of.n_out**2 + (0 if of.reads_on else of.n_in**2) for of in tracked.linear)
    turning += n_split * sum(max(of.n_out, of.n_in) ** 2 for of in tracked.linear)

    def kept(of: LayerDirections) -> LayerDirections:
        return of.plain() if back <= turning else of.formed()

    return Directions(
        tuple(kept(of) for of in directions.linear), directions.embedding, directions.values, directions.energy
    )
