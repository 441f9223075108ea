"""The prompt: which of its tokens and parts the chosen ones react to, by a method of the analyst's choice."""

import streamlit as st

from dashboard import controls, render
from dashboard.address_bar import choose
from dashboard.charts import part_bars
from dashboard.explanation import SALIENCIES, Explanation
from dashboard.panels.heading import panel
from dashboard.panels.measures import in_words
from dashboard.prompt_parts import by_part
from dashboard.selection import Selection

CONTRASTS = {"no": "Why this token", "yes": "Why not the prompt's foil"}


def show_prompt(found: Explanation, selection: Selection) -> None:
    """The method, the contrast where one is stored, and the sums of the parts where there are several."""
    if not found.saliency_methods:
        return
    panel(
        "Prompt", "How the chosen tokens react to each token of the prompt: not how much of the answer comes from it."
    )
    names = {name: SALIENCIES.get(name, render.option(name)) for name in found.saliency_methods}
    controls.one_of("saliency", names, quiet=True, shown=found.saliency_method)
    if told := in_words(found.measures, found.saliency_method):
        render.prose(("note", told))
    if found.has_contrast:
        controls.switch("contrast", CONTRASTS)
    sums = by_part(found.parts, found.prompt_tokens, found.saliency)
    if sum(each.part >= 0 for each in sums) > 1:
        key = f"parts {found.generation.generation_id} {selection.part}"  # a new one forgets the last click
        st.altair_chart(
            part_bars(sums, selection.part),
            key=key,
            on_select=lambda: _part_clicked(key, selection),
            selection_mode="part",
            width="stretch",
        )


def _part_clicked(key: str, selection: Selection) -> None:
    points = st.session_state[key]["selection"].get("part") or [{}]
    picked = points[0].get("part")
    choose(part=None if picked is None or int(picked) == selection.part else int(picked))
