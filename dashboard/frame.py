"""The frame of every screen: navigation, keys, the selection and the database of this rerun, and faults."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from attribution.errors import BadInput, WhenceError
from dashboard.address import bar
from dashboard.address.screen import screens
from dashboard.database.connection import begin, current, folder, newest
from dashboard.database.queries import answers
from dashboard.drawing import render
from dashboard.drawing.component import component, page_style
from dashboard.server.door import has_entered
from dashboard.widgets.ask_box import show_box
from dashboard.widgets.heading import top
from dashboard.widgets.size_switch import next_searched_size, next_size, size_of_page

LOOK_EVERY = 15  # seconds between two looks at what is published


def open_frame(pages: Mapping[str, Any]) -> None:
    """Run the screen that the address names.    pages: by the names of their screens."""
    page = st.navigation(list(pages.values()), position="top")
    screen = next(name for name, each in pages.items() if each.title == page.title)
    bar.follow(screen)
    render.begin()
    _go_where_a_click_led(pages)
    st.set_page_config(page_title=f"{page.title} · Whence")
    with st.container(key="page"):
        top(page.title)
        page_style()
        _listen_to_keys()
    if not has_entered():
        return
    try:
        snapshot = begin()
    except WhenceError as error:
        _explain_no_database(error)
        return
    if snapshot.notice:
        render.problem(snapshot.notice)
    _watch_for_news()
    try:
        show_box(answers.models(snapshot), screen, size_of_page(snapshot, screens()[screen]))
        page.run()
        bar.write()
    except WhenceError as error:
        render.problem(str(error))


def _go_where_a_click_led(pages: Mapping[str, Any]) -> None:
    """A callback cannot change the page; it leaves the name of the next one in the session."""
    wanted = st.session_state.pop(bar.NEXT_SCREEN, None)
    if wanted in pages:
        st.switch_page(pages[wanted], query_params=bar.spelled())


@st.fragment(run_every=LOOK_EVERY)
def _watch_for_news() -> None:
    """A banner when a newer database was published while the page is open; nothing changes until it is asked for."""
    try:
        stale = newest().name != current().name
    except WhenceError:
        return  # the page stays as it is; the next rerun tells
    if not stale:
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", key="news"):
        st.caption("A newer database was published. This page still shows the one before.")
        if st.button("Show the new one"):
            st.rerun()


def _listen_to_keys() -> None:
    def pressed() -> None:
        key = st.session_state["shortcuts"].get("key")
        if key == "Escape":
            bar.escape()
        elif key in ("[", "]"):
            shown = screens().get(bar.screen())
            step = 1 if key == "]" else -1
            if shown and shown.searched_size:
                next_searched_size(step, size_of_page(current(), shown))
            elif shown:
                next_size(step, shown)

    data = {"keys": ["Escape", "[", "]"], "focus": ["Filter by token", "Search the corpus", "Ask a new prompt"]}
    component("shortcuts")(data=data, key="shortcuts", on_key_change=pressed)


def _explain_no_database(error: WhenceError) -> None:
    missing = isinstance(error, BadInput)
    demo = folder().parts[-3:] == ("data", "demo", "build")
    render.prose(
        ("title", "Nothing to show yet" if missing else "The database cannot be read"),
        ("fact", str(error)),
        ("note", "Fill the folder, then reload this page:"),
        ("command", "make build" if demo else "whence build CONFIG"),
    )
