"""EDGE: the script that Streamlit runs: the frame around every screen."""

from pathlib import Path

import streamlit as st

from dashboard.frame import open_frame
from dashboard.screens import explain, runs

MARK = Path(__file__).with_name("mark.svg")

st.set_page_config(page_title="Whence", layout="wide", menu_items={"About": "Whence: whence this token?"})
st.logo(str(MARK), size="medium")

pages = [
    st.Page(explain.show, title="Explain", url_path="explain", default=True),
    st.Page(runs.show, title="Runs", url_path="runs"),
]
open_frame(pages)
