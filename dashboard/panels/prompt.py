"""Parts of the prompt: how much each weighs for the chosen tokens, by a saliency method of the analyst's choice."""

import streamlit as st

from dashboard import controls, render
from dashboard.explanation import Explanation
from dashboard.selection import Selection

METHODS = {
    "grad_norm": "Gradient norm",
    "grad_x_input": "Gradient × input",
    "integrated_gradients": "Integrated gradients",
    "layer_integrated_gradients": "Integrated gradients of a layer",
    "occlusion": "Leaving a token out",
    "shapley": "Shapley value of parts",
    "attention": "Attention (not an explanation)",
    "gradient_norm": "Gradient norm",
    "gradient_x_input": "Gradient × input",
}


def show_prompt(found: Explanation, selection: Selection) -> None:
    """The method, and what its shading of the prompt is not."""
    if not found.saliency_methods:
        return
    st.subheader("Prompt")
    st.caption(
        "Shading of the prompt says how sensitive the chosen tokens are to each of its tokens. "
        "It is not how much of the answer comes from there."
    )
    names = {name: METHODS.get(name, render.option(name)) for name in found.saliency_methods}
    controls.one_of("saliency", names, quiet=True, shown=found.saliency_method)
