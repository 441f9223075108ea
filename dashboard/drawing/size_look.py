"""How a size looks in every chart: one colour and one mark, wherever it appears, whichever other sizes are shown."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.database.records import Model
from dashboard.drawing.theme import MARKS

_COLOURS = (MARKS.rest, MARKS.second, MARKS.strength, MARKS.cool, MARKS.warm)
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "cross")  # who sees no colours tells sizes apart by these


@dataclass(frozen=True)
class Look:
    """colour: `#rrggbb`, legible as a mark in both themes; symbol: plotly's name of a mark."""

    colour: str
    symbol: str


UNKNOWN = Look(MARKS.rest, "x")


def size_looks(models: Sequence[Model]) -> dict[str, Look]:
    """name -> look: by the place in its family, smallest first; more sizes than looks begin again with hollow marks."""
    looks: dict[str, Look] = {}
    seen: dict[str, int] = {}
    for model in models:
        i = seen[model.family] = seen.get(model.family, -1) + 1
        hollow = "-open" if i // len(_COLOURS) % 2 else ""
        looks[model.name] = Look(_COLOURS[i % len(_COLOURS)], _SYMBOLS[i % len(_SYMBOLS)] + hollow)
    return looks
