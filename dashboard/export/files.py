"""The sheet of a screen as files: CSV, Parquet, JSON and JSON Lines for other programs."""

from __future__ import annotations

import io
import json
import math
from typing import TYPE_CHECKING, Any

from dashboard.drawing.numbers import missing
from dashboard.export.sheet import Sheet

if TYPE_CHECKING:
    import pandas as pd


def alone(sheet: Sheet) -> pd.DataFrame:
    """The table, each row with the database that it comes from and a link back: its own, or that of the view. Where no
    page exports it there is nothing to lead back to."""
    frame = sheet.table()
    if not sheet.database:
        return frame
    links = [f"{sheet.server}{path}" for path in frame["link"]] if "link" in frame else sheet.link
    return frame.assign(database=sheet.database, link=links)


def csv(sheet: Sheet) -> bytes:
    """Text for spreadsheets; lists as JSON, nothing where there is no value. A cell that begins like a formula gets a
    quote before it."""
    from pandas.api.types import is_numeric_dtype  # late: the page comes without it

    frame = alone(sheet)
    for name in frame.columns:
        if not is_numeric_dtype(frame[name]):
            frame[name] = [_cell(value) for value in frame[name]]
    text: str = frame.to_csv(index=False)
    return text.encode("utf-8", "replace")


def parquet(sheet: Sheet) -> bytes:
    out = io.BytesIO()
    alone(sheet).to_parquet(out, index=False)
    return out.getvalue()


def as_json(sheet: Sheet) -> bytes:
    """The table by rows, what it is about, and the address of the view; a number that is unknown is null."""
    made = {
        "title": sheet.title,
        "address": dict(sheet.address),
        "link": sheet.link,
        **{name: _plain(value) for name, value in sheet.about.items()},
        "rows": [{name: _plain(value) for name, value in row.items()} for row in alone(sheet).to_dict("records")],
    }
    return json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False).encode("utf-8", "replace")


def json_lines(sheet: Sheet) -> bytes:
    """A row a line, with the names of its numbers; what is unknown is null."""
    rows = alone(sheet).to_dict("records")
    lines = [json.dumps(_plain(row), ensure_ascii=False, allow_nan=False) for row in rows]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def _cell(value: Any) -> str:
    if missing(value):
        return ""
    text = json.dumps(value) if isinstance(value, list) else str(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, str | int | bool | None) else str(value)
