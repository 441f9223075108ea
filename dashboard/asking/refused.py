"""EDGE: keeps why a question was refused, for its session: said until something else is asked or chosen.

Pages draw themselves anew while other questions are under way; what was said once would be gone in a moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from attribution.errors import WhenceError
from dashboard.address.bar import moves

BOX = "why the last question was refused"
WHAT_IF = "why the last what if was refused"
SALIENCY = "why a method was refused"


@contextmanager
def trying(of: str = BOX) -> Iterator[None]:
    """What is asked inside may be refused, and ends it then; what was refused before is forgotten."""
    forget(of)
    try:
        yield
    except WhenceError as error:
        refuse(str(error), of)


def refuse(why: str, of: str = BOX) -> None:
    """Say this where it was asked."""
    st.session_state[of] = why, moves()


def forget(of: str = BOX) -> None:
    """It is asked anew."""
    st.session_state.pop(of, None)


def refused(of: str = BOX) -> str:
    """Why; '' where nothing was refused since the last move."""
    why, at = st.session_state.get(of, ("", 0))
    return why if at == moves() else ""
