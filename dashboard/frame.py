"""The frame of every screen: navigation, keys, the selection and the database of this rerun, and faults."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from attribution.errors import BadInput, WhenceError
from dashboard import address_bar, render
from dashboard.component import component, page_style
from dashboard.database import current, folder
from dashboard.panels.ask import show_box
from dashboard.queries import answers
from dashboard.sizes import next_size

_SEEN = "snapshot of the last rerun"


def open_frame(pages: Sequence[Any]) -> None:
    """Run the screen that the address names."""
    page = st.navigation(list(pages), position="top")
    address_bar.follow()
    _go_where_a_click_led(pages)
    with st.container(key="page"):
        page_style()
        _listen_to_keys()
    try:
        snapshot = current()
    except WhenceError as error:
        _explain_no_database(error)
        return
    if snapshot.notice:
        render.problem(snapshot.notice)
    if st.session_state.setdefault(_SEEN, snapshot.name) != snapshot.name:
        st.session_state[_SEEN] = snapshot.name
        st.toast("A newer database was published; this page now shows it.", icon=":material/update:")
    try:
        show_box(answers.models(snapshot))
        page.run()
        address_bar.write()
    except WhenceError as error:
        render.problem(str(error))


def _go_where_a_click_led(pages: Sequence[Any]) -> None:
    """A callback cannot change the page; it leaves the name of the next one in the session."""
    wanted = st.session_state.pop(address_bar.NEXT_SCREEN, None)
    for page in pages:
        if page.title.lower() == wanted:
            st.switch_page(page, query_params=address_bar.spelled())


def _listen_to_keys() -> None:
    def pressed() -> None:
        key = st.session_state["shortcuts"].get("key")
        if key == "Escape":
            address_bar.escape()
        elif key in ("[", "]"):
            next_size(1 if key == "]" else -1)

    data = {"keys": ["Escape", "[", "]"], "focus": ["Filter by token", "Search the corpus"]}
    component("shortcuts")(data=data, key="shortcuts", on_key_change=pressed)


def _explain_no_database(error: WhenceError) -> None:
    missing = isinstance(error, BadInput)
    demo = folder().parts[-3:] == ("data", "demo", "build")
    render.prose(
        ("title", "Nothing to show yet" if missing else "The database cannot be read"),
        ("fact", str(error)),
        ("note", "Fill the folder, then reload this page:"),
        ("command", "make build" if demo else "python -m indexer build CONFIG"),
    )
