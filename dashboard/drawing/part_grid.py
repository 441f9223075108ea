"""The parts of a model as a grid: a row for each block, a column for each head and group of neurons. Words are ours."""

from collections.abc import Callable, Sequence
from dataclasses import asdict

from dashboard.address.bar import still
from dashboard.drawing.component import component, known_event
from dashboard.drawing.shapes import GridGroup, Legend

ROOMY = 12  # columns up to which a cell shows its number
NARROW = 40  # columns from which on cells are as small as can still be pointed at


def part_grid(
    groups: Sequence[GridGroup],
    rows: Sequence[str],
    *,
    key: str,
    about: str,
    legend: Legend,
    unknown: str,
    chosen: str = "",
    on_part: Callable[[str], None],
) -> None:
    """Rows: names of the blocks; unknown: what a hatched cell means, '' where there is none; `on_part` hears the key of
    the part that was chosen. Colours diverge around 0."""
    cells = [cell for group in groups for row in group.rows for cell in row]
    known = {cell.key for cell in cells if cell.key}
    n_columns = sum(len(group.columns) for group in groups)

    def clicked() -> None:
        found = known_event(key, "part", known, "key")
        if found is not None:
            on_part(found)

    data = {
        "label": about,
        "rows": list(rows),
        "groups": [asdict(group) for group in groups],
        "size": "roomy" if n_columns <= ROOMY else "narrow" if n_columns > NARROW else "even",
        "chosen": chosen,
        "legend": asdict(legend),
        "unknown": unknown if any(cell.amount is None for cell in cells) else "",
    }
    component("part_grid")(data=data, key=key, on_part_change=still(clicked))
