"""EDGE: components of ours: a folder with a style sheet and a script, no build step, registered once each.

`make.js` stands before every script, as the theme's properties and `make.css` do before every style sheet.
"""

from collections.abc import Container
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

from dashboard.drawing.theme import chart_style, custom_properties

_HERE = Path(__file__).parent
_COMPONENTS = _HERE / "components"


def component(name: str) -> Any:
    """The mounting command of the component in the folder `name`; its text arrives through `data` only."""
    return _registered(name, True)


def page_style() -> None:
    """The style sheet of the whole page; everything else stays inside its own component."""
    _registered("page", False)(key="page style")


@cache
def _registered(name: str, isolated: bool) -> Any:
    script, style = (_COMPONENTS / name / f"{name}.{end}" for end in ("js", "css"))
    css = style.read_text(encoding="utf-8") if style.exists() else None
    if css is not None and isolated:
        css = custom_properties() + (_HERE / "make.css").read_text(encoding="utf-8") + css
    elif css is not None:
        css += chart_style()
    js = script.read_text(encoding="utf-8") if script.exists() else None
    if js is not None:
        js = (_HERE / "make.js").read_text(encoding="utf-8") + js
    return st.components.v2.component(f"whence.{name}", css=css, js=js, isolate_styles=isolated)


def last_event(key: str, name: str) -> dict[str, Any]:
    """What the analyst did last in a mounted component: the value of its state `name`, {} before the first time."""
    state = st.session_state.get(key) or {}
    value = state.get(name) if hasattr(state, "get") else None
    return value if isinstance(value, dict) else {}


def known_event(key: str, name: str, known: Container[str], field: str = "id") -> str | None:
    """Which of the `known` the last event names in `field`; None for all else: a browser may send what it likes."""
    found = last_event(key, name).get(field)
    return found if isinstance(found, str) and found in known else None
