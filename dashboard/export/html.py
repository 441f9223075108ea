"""EDGE: reads our style sheets. A sheet as one file of HTML: no script, no request, all rows, escaped text."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dashboard.drawing.numbers import missing, plain
from dashboard.drawing.render import markup
from dashboard.drawing.theme import custom_properties
from dashboard.export.sheet import Sheet

_STYLE = Path(__file__).parents[1] / "drawing" / "components" / "page" / "exported.css"
MOST_ROWS = 5_000


def page(sheet: Sheet) -> bytes:
    """The page of a sheet: its own where it has one, its table otherwise. UTF-8."""
    return sheet.page(sheet.link if sheet.server else "") if sheet.page else _table_page(sheet)


def document(body: str, style: str = "", title: str = "") -> bytes:
    """A whole file of HTML around `body`, whose text is escaped already; title: of its window, as it comes."""
    style = custom_properties().replace(":host", ":root") + _STYLE.read_text(encoding="utf-8") + style
    named = markup(" · ".join(filter(None, (title, "Whence"))))
    head = f"<head><meta charset='utf-8'><title>{named}</title><style>{style}</style></head>"
    return f"<!doctype html><html lang='en'>{head}<body>{body}</body></html>".encode("utf-8", "replace")


def _table_page(sheet: Sheet) -> bytes:
    frame = sheet.table()
    rows = frame.head(MOST_ROWS).to_dict("records")
    head = "".join(f"<th scope='col'>{markup(str(name).replace('_', ' '))}</th>" for name in frame.columns)
    lines = "".join(_row([_inner(value) for value in row.values()]) for row in rows)
    back = f"<p class='note'>{markup(sheet.link)}</p>" if sheet.server else ""
    about = back + "".join(_told(name, value) for name, value in sheet.about.items())
    cut = f"<p class='note'>The first {MOST_ROWS:,} of {len(frame):,} rows.</p>" if len(frame) > MOST_ROWS else ""
    return document(
        f"<h1>{markup(sheet.title)}</h1><p class='note'>Whence · {datetime.now(UTC):%d %B %Y}</p>{about}{cut}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table>",
        title=sheet.title,
    )


def _told(name: str, value: Any) -> str:
    """What a sheet is about: a line, or a table where it is many things; nothing of what there is none."""
    shown = markup(name.replace("_", " "))
    if missing(value) or (isinstance(value, list | tuple | dict) and not value):
        return ""
    if isinstance(value, list | tuple) and all(isinstance(each, dict) for each in value):
        columns = list(dict.fromkeys(key for each in value for key in each))
        head = "".join(f"<th scope='col'>{markup(str(key).replace('_', ' '))}</th>" for key in columns)
        rows = "".join(_row([_inner(each.get(key, "")) for key in columns]) for each in value[:MOST_ROWS])
        return f"<h2>{shown}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    if isinstance(value, dict):
        rows = "".join(_row([markup(key), _inner(each)]) for key, each in value.items())
        return f"<h2>{shown}</h2><table><tbody>{rows}</tbody></table>"
    return f"<p class='note'>{shown}: {_inner(value)}</p>"


def _inner(value: Any) -> str:
    """A value inside a cell: lists and what has names on one line; nothing where there is none."""
    if missing(value):
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{markup(key)} {_inner(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_inner, value))
    return plain(value) if isinstance(value, float) else markup(value)


def _row(cells: Sequence[str]) -> str:
    """cells: escaped"""
    return f"<tr>{''.join(f'<td>{each}</td>' for each in cells)}</tr>"
