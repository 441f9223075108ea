"""The door: where people sign in, and where someone who is not on the list stays outside."""

import streamlit as st

from dashboard.drawing import render
from dashboard.server.sign_in import may_read, of_this_process


def has_entered() -> bool:
    """Whether this visitor may read; draws the way in, or why there is none, when not.

    A header of a proxy was judged before the page was served (`dashboard.server.gate`), and needs no door here.
    """
    sign_in = of_this_process()
    if sign_in is None or sign_in.header or may_read(st.user.to_dict(), sign_in.allow):
        return True
    if not st.user.get("is_logged_in"):
        render.prose(("title", "Sign in"), ("note", "This dashboard is open to those whom its owner has named."))
        st.button("Sign in", on_click=st.login, type="primary")
        return False
    who = str(st.user.get("email") or "without an address")
    render.prose(
        ("title", "Not for this account"),
        ("fact", f"You are signed in as {who}, which is not on the list of those who may read here."),
        ("note", "Ask its owner, or take another account."),
    )
    st.button("Sign out", on_click=st.logout)
    return False
