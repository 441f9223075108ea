"""The head of every panel: its name, and one plain sentence on what its number is not."""

import streamlit as st


def panel(title: str, is_not: str) -> None:
    """Open a panel. Both are literals of ours; a test holds every panel to it."""
    st.subheader(title)
    st.caption(is_not)
