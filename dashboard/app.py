"""EDGE: the script that Streamlit runs: the frame around every screen."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import streamlit as st

from dashboard.frame import open_frame

MARK = Path(__file__).with_name("mark.svg")

st.set_page_config(page_title="Whence", layout="wide", menu_items={"About": "Whence: whence this token?"})
st.logo(str(MARK), size="medium")


def screen(name: str) -> Callable[[], None]:
    """Draws the screen; imports it when it is first opened, so that the first page waits for none of the others."""

    def show() -> None:
        import_module(f"dashboard.screens.{name}.screen").show()

    return show


titles = ["Explain", "Runs", "Compare", "Context", "Corpus", "About"]
pages = [
    st.Page(screen(title.lower()), title=title, url_path=title.lower(), default=title == titles[0]) for title in titles
]
open_frame(pages)
