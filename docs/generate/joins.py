"""`docs/joins.svg`: how the tables join. Tables are rows and shared columns vertical lines, so none cross. Pure."""

from collections import Counter
from xml.sax.saxutils import escape

from docs.generate.database import columns
from indexer.database.schema import TABLES
from indexer.database.tables.keys import KEYS

ROW, COLUMN, LEFT, TOP = 22, 62, 168, 128  # points; names of columns are written upwards
INK, PAPER, RULE = "#1f2933", "#ffffff", "#c5ccd3"
COLOURS = ("#0b6e99", "#9a3b1e", "#2f7d32", "#6b4fa0", "#8a6d00", "#b0306a", "#40657a", "#5a5a5a")


def shared() -> list[str]:
    """Columns that several tables have and join on: ids and positions, by the tables that they name first."""
    count = Counter(column for name in TABLES for column in columns(name))
    keys = [column for key in KEYS.values() for column in key]
    return [column for column in dict.fromkeys(keys) if count[column] > 1 and column.endswith(("_id", "position"))]


def names_alone(name: str, column: str) -> bool:
    """Whether this column is the whole key of the table."""
    return KEYS.get(name) == (column,)


def picture() -> str:
    lines = shared()
    names = [name for name in TABLES if set(lines) & set(columns(name))]
    width, height = LEFT + COLUMN * len(lines) + 40, TOP + ROW * len(names) + 12
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12">',
        "<title>How the tables of the database join</title>",
        f'<rect width="{width}" height="{height}" rx="6" fill="{PAPER}"/>',
    ]
    for row, name in enumerate(names):
        y = TOP + ROW * row + ROW // 2
        parts.append(f'<line x1="{LEFT}" y1="{y}" x2="{width - 20}" y2="{y}" stroke="{RULE}" stroke-width="1"/>')
        parts.append(f'<text x="{LEFT - 12}" y="{y + 4}" text-anchor="end" fill="{INK}">{escape(name)}</text>')
    for place, column in enumerate(lines):
        parts += _line(place, column, [name for name in names if column in columns(name)], names)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(place: int, column: str, having: list[str], names: list[str]) -> list[str]:
    x, colour = LEFT + COLUMN * place + COLUMN // 2, COLOURS[place % len(COLOURS)]
    rows = {name: TOP + ROW * names.index(name) + ROW // 2 for name in having}
    parts = [
        f'<line x1="{x}" y1="{TOP - 6}" x2="{x}" y2="{max(rows.values())}" stroke="{colour}" stroke-width="2"/>',
        f'<text x="{x + 4}" y="{TOP - 14}" fill="{colour}" transform="rotate(-55 {x + 4} {TOP - 14})">{column}</text>',
    ]
    for name, y in rows.items():
        fill = colour if names_alone(name, column) else PAPER
        parts.append(f'<circle cx="{x}" cy="{y}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>')
    return parts
