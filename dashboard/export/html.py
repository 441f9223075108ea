"""EDGE: reads our style sheets. A sheet as one file of HTML: no script, no request, all rows, escaped text."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.drawing.numbers import plain
from dashboard.drawing.render import markup
from dashboard.drawing.theme import custom_properties
from dashboard.export.sheet import Sheet

_STYLE = Path(__file__).parents[1] / "drawing" / "components" / "page" / "exported.css"
MOST_ROWS = 5_000


def page(sheet: Sheet) -> bytes:
    """The page of a sheet: its own where it has one, its table otherwise. UTF-8."""
    return sheet.page() if sheet.page else _table_page(sheet)


def document(body: str, style: str = "") -> bytes:
    """A whole file of HTML around `body`, whose text is escaped already."""
    style = custom_properties().replace(":host", ":root") + _STYLE.read_text(encoding="utf-8") + style
    head = f"<head><meta charset='utf-8'><title>Whence</title><style>{style}</style></head>"
    return f"<!doctype html><html lang='en'>{head}<body>{body}</body></html>".encode("utf-8", "replace")


def _table_page(sheet: Sheet) -> bytes:
    frame = sheet.table()
    rows = frame.head(MOST_ROWS).to_dict("records")
    head = "".join(f"<th scope='col'>{markup(str(name).replace('_', ' '))}</th>" for name in frame.columns)
    lines = "".join(f"<tr>{''.join(f'<td>{_cell(value)}</td>' for value in row.values())}</tr>" for row in rows)
    back = f"<p class='note'>{markup(sheet.link)}</p>" if sheet.server else ""
    about = back + "".join(f"<p class='note'>{markup(name)}: {_cell(value)}</p>" for name, value in sheet.about.items())
    cut = f"<p class='note'>The first {MOST_ROWS:,} of {len(frame):,} rows.</p>" if len(frame) > MOST_ROWS else ""
    return document(
        f"<h1>{markup(sheet.title)}</h1><p class='note'>Whence · {datetime.now(UTC):%d %B %Y}</p>{about}{cut}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>"
    )


def _cell(value: Any) -> str:
    return plain(value) if isinstance(value, float) else markup(value)
