"""EDGE: the script that Streamlit runs: the frame around every screen."""

from pathlib import Path

import streamlit as st

from dashboard.address.screen import screens
from dashboard.frame import open_frame

MARK = Path(__file__).with_name("mark.svg")

st.set_page_config(page_title="Whence", layout="wide", menu_items={"About": "Whence: whence this token?"})
st.logo(str(MARK), size="medium")

first = next(iter(screens()))
open_frame(
    {
        name: st.Page(each.show, title=each.title, url_path=name, default=name == first)
        for name, each in screens().items()
    }
)
