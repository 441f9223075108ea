"""The sheet of a screen as files: CSV, Parquet and JSON for other programs."""

import io
import json
import math
from typing import Any

from dashboard.export.sheet import Sheet


def csv(sheet: Sheet) -> bytes:
    """Text for spreadsheets; lists as JSON. A cell that begins like a formula gets a quote before it."""
    from pandas.api.types import is_numeric_dtype  # late: the page comes without it

    frame = sheet.table()
    for name in frame.columns:
        if not is_numeric_dtype(frame[name]):
            frame[name] = [_cell(value) for value in frame[name]]
    text: str = frame.to_csv(index=False)
    return text.encode("utf-8", "replace")


def parquet(sheet: Sheet) -> bytes:
    out = io.BytesIO()
    sheet.table().to_parquet(out, index=False)
    return out.getvalue()


def as_json(sheet: Sheet) -> bytes:
    """The table by rows, what it is about, and the address of the view; a number that is unknown is null."""
    made = {
        "title": sheet.title,
        "address": dict(sheet.address),
        **{name: _plain(value) for name, value in sheet.about.items()},
        "rows": [{name: _plain(value) for name, value in row.items()} for row in sheet.table().to_dict("records")],
    }
    return json.dumps(made, ensure_ascii=False, indent=1, allow_nan=False).encode("utf-8", "replace")


def _cell(value: Any) -> str:
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
