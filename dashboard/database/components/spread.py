"""How an effect is spread over components. Pure.

share of the strongest k   Σ_{k largest} |x| / Σ |x|
even number                (Σ |x|)² / Σ x²: as many components, each with the same, would be as concentrated
"""

from collections.abc import Sequence


def share_of_strongest(values: Sequence[float], k: int) -> float:
    """Between 0 and 1; nan where nothing has an effect."""
    sizes = sorted((abs(value) for value in values), reverse=True)
    return sum(sizes[:k]) / sum(sizes) if sum(sizes) else float("nan")


def even_number(values: Sequence[float]) -> float:
    """Between 1 and their number, the participation ratio of their sizes; nan where nothing has an effect."""
    squares = sum(value * value for value in values)
    return sum(abs(value) for value in values) ** 2 / squares if squares else float("nan")
