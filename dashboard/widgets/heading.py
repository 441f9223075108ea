"""The heads: of a screen, which is read aloud only; of every panel, with a sentence on what its number is not."""

import streamlit as st


def panel(title: str, is_not: str) -> None:
    """Open a panel. Both are literals of ours; a test holds every panel to it."""
    st.subheader(title)
    st.caption(is_not)


def top(title: str) -> None:
    """The screen's name, for who hears the page: to others the navigation shows it. A literal of ours."""
    st.title(title, anchor=False)
