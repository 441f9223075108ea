"""What if the selected document said something else: the influence of replacing one of its words."""

from dashboard.address.selection import Selection
from dashboard.database.queries import influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Relabelling
from dashboard.database.unit import Unit
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Piece
from dashboard.drawing.visible import visible_token
from dashboard.screens.explain.explanation import Explanation
from dashboard.widgets.heading import panel

SHOWN = 6


def show_relabelling(snapshot: Snapshot, found: Explanation, selection: Selection) -> None:
    """The strongest replacements of the selected document, for one chosen token; nothing where none is stored."""
    if not selection.document or found.run is None or found.width != 1:
        return
    where = (found.run.run_id, found.generation.generation_id, found.span[0], selection.document)
    changes = influence.relabellings(snapshot, *where, found.generation.model.tokenizer_id, SHOWN)
    if not changes:
        return
    panel(
        "If the document said otherwise",
        "What training on the other word there would do: a first-order guess of the direction, not the size that "
        "training again would give.",
    )
    unit = found.unit.over(each.influence for each in changes)
    places = decimals([unit.shown(each.influence) for each in changes])
    render.prose(*[("fact", _sentence(each, unit, places)) for each in changes])


def _sentence(each: Relabelling, unit: Unit, places: int) -> list[Piece]:
    return [
        (f"“{visible_token(each.said.strip())}”", "serif"),
        (" → ", "muted"),
        (f"“{visible_token(each.instead.strip())}”", "serif"),
        (f"  {signed(unit.shown(each.influence), places)} {unit.name}", "warm" if each.influence > 0 else "cool"),
    ]
