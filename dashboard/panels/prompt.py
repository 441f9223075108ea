"""The prompt: which of its tokens the chosen ones are sensitive to, by a method of the analyst's choice."""

import streamlit as st

from dashboard import controls, render
from dashboard.explanation import SALIENCIES, Explanation
from dashboard.panels.measures import in_words
from dashboard.selection import Selection


def show_prompt(found: Explanation, selection: Selection) -> None:
    """The method, and what its shading of the prompt is not."""
    if not found.saliency_methods:
        return
    st.subheader("Prompt")
    st.caption(
        "Shading of the prompt says how sensitive the chosen tokens are to each of its tokens. "
        "It is not how much of the answer comes from there."
    )
    names = {name: SALIENCIES.get(name, render.option(name)) for name in found.saliency_methods}
    controls.one_of("saliency", names, quiet=True, shown=found.saliency_method)
    if told := in_words(found.measures, found.saliency_method):
        render.prose(("note", told))
