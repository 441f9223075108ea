"""EDGE: keeps the Selection of a session, and the address bar in step with it.

The session holds the selection. A rerun in which the URL is not the one written last, and in which nothing was
clicked, means that someone edited it or went back: then the URL wins. A click in the navigation leads to a screen
without a query: the selection stays, but for the page of a list, which every screen has its own of.
"""

from collections.abc import Callable
from typing import Any

import streamlit as st

from dashboard.address.selection import FILTERS, Selection, address, from_address

NEXT_SCREEN = "screen that a click led to"
_SELECTION, _WRITTEN, _CLICKED = "selection", "address written", "clicked in this rerun"
_SCREEN, _PAGES, _MOVES = "screen shown", "pages of the lists that were left", "moves"


def selection() -> Selection:
    """The selection of this rerun. Call `follow` once at its start."""
    held: Selection = st.session_state.setdefault(_SELECTION, Selection())
    return held


def choose(**changes: Any) -> None:
    """For callbacks: change the selection; the address follows in the rerun that comes next."""
    st.session_state[_SELECTION] = selection().with_(**changes)
    st.session_state[_CLICKED] = True
    if changes.keys() & FILTERS:
        st.session_state[_PAGES] = {}
    _move()


def still(callback: Callable[..., None]) -> Callable[..., None]:
    """For widgets: the callback, but only while the page shows the answer for which the widget was drawn.

    A browser may report the widgets of the page before once more when the server has forgotten their values, which
    looks like a change to it: what an analyst chose there must not be chosen again here.
    """
    drawn = _place()

    def called(*given: Any) -> None:
        if _place() == drawn:
            callback(*given)

    return called


def _place() -> tuple[str, str]:
    return selection().generation, selection().job


def settle(**changes: Any) -> Selection:
    """For screens: fill in what the address left open, in this rerun."""
    st.session_state[_SELECTION] = selection().with_(**changes)
    return selection()


def open_screen(name: str, **changes: Any) -> None:
    """For callbacks: change the selection and go to another screen, by its name."""
    pages = _pages()
    pages[screen()] = selection().page
    choose(**{"page": pages.get(name)} | changes)
    st.session_state[NEXT_SCREEN] = name


def spelled() -> dict[str, str]:
    """The query of the URL for the selection."""
    return address(selection())


def escape() -> None:
    """For callbacks: clear the innermost level."""
    st.session_state[_SELECTION] = selection().escape()
    st.session_state[_CLICKED] = True
    _move()


def moves() -> int:
    """How often something was chosen in this session, or another address or screen was opened."""
    made: int = st.session_state.get(_MOVES, 0)
    return made


def _move() -> None:
    st.session_state[_MOVES] = moves() + 1


def screen() -> str:
    """The name of the screen of this rerun; in a callback, of the one before; '' before the first."""
    name: str = st.session_state.get(_SCREEN, "")
    return name


def follow(opened: str) -> None:
    """Once a rerun, before anything is drawn: take over an edited URL, then write the address.    opened: the name of
    its screen"""
    query = st.query_params.to_dict()
    clicked = st.session_state.pop(_CLICKED, False)
    left = screen()
    st.session_state[_SCREEN] = opened
    if not clicked and query and query != st.session_state.get(_WRITTEN):
        st.session_state[_SELECTION] = from_address(query)
        _move()
    elif left and left != opened and not clicked:
        _leave(left, opened, by_navigation=not query)
    write()


def _leave(left: str, opened: str, by_navigation: bool) -> None:
    pages = _pages()
    pages[left] = selection().page
    if by_navigation:
        settle(page=pages.get(opened))
    _move()


def _pages() -> dict[str, int | None]:
    """Of each list that was left, by its screen."""
    found: dict[str, int | None] = st.session_state.setdefault(_PAGES, {})
    return found


def write() -> None:
    """The address of the selection, written only when it differs: each write is an entry in the browser's history."""
    spelled = address(selection())
    st.session_state[_WRITTEN] = spelled
    if st.query_params.to_dict() != spelled:
        st.query_params.from_dict(spelled)
