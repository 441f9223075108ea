"""EDGE: the script that Streamlit runs: the frame around every screen."""

from pathlib import Path

import streamlit as st

from dashboard.frame import open_frame
from dashboard.screens import about, compare, context, corpus, explain, runs

MARK = Path(__file__).with_name("mark.svg")

st.set_page_config(page_title="Whence", layout="wide", menu_items={"About": "Whence: whence this token?"})
st.logo(str(MARK), size="medium")

pages = [
    st.Page(explain.show, title="Explain", url_path="explain", default=True),
    st.Page(runs.show, title="Runs", url_path="runs"),
    st.Page(compare.show, title="Compare", url_path="compare"),
    st.Page(context.show, title="Context", url_path="context"),
    st.Page(corpus.show, title="Corpus", url_path="corpus"),
    st.Page(about.show, title="About", url_path="about"),
]
open_frame(pages)
