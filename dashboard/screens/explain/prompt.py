"""The prompt: which of its tokens and parts the chosen ones react to, by a method of the analyst's choice."""

from collections.abc import Sequence

from dashboard.address.bar import choose
from dashboard.address.choices import CONTRASTS
from dashboard.address.selection import Selection
from dashboard.asking.result import AskedAnswer
from dashboard.database.kept.answer import StoredAnswer
from dashboard.drawing import render
from dashboard.drawing.numbers import signed
from dashboard.drawing.shapes import Bar
from dashboard.screens.explain.explanation import Explanation
from dashboard.screens.explain.prompt_parts import PartSum, by_part
from dashboard.widgets import controls
from dashboard.widgets.heading import panel
from dashboard.widgets.measures import in_words
from dashboard.widgets.more_saliency import show_more


def show_prompt(found: Explanation, selection: Selection, answer: StoredAnswer | AskedAnswer) -> None:
    """How far the method holds, the contrast where one is stored, the sums of the parts where there are several, and
    what else can be computed of this very answer."""
    panel(
        "Prompt", "How the chosen tokens react to each token of the prompt: not how much of the answer comes from it."
    )
    if found.saliency_methods:
        _show_known(found, selection)
    show_more(answer)


def _show_known(found: Explanation, selection: Selection) -> None:
    if told := in_words(found.measures, found.saliency_method):
        render.prose(("note", told))
    if found.has_contrast:
        controls.switch("contrast", CONTRASTS)
    sums = by_part(found.parts, found.prompt_tokens, found.saliency)
    if sum(each.part >= 0 for each in sums) > 1:
        _show_parts(sums, selection)


def _show_parts(sums: Sequence[PartSum], selection: Selection) -> None:
    """Shares of the largest: one bar for each part, in the order of the prompt."""
    top = max((abs(each.amount) for each in sums), default=0.0) or 1.0
    bars = [
        Bar(str(each.part), f"{i}. {each.name[:60]}", each.amount / top, signed(each.amount / top, 2))
        for i, each in enumerate(sums, 1)
    ]
    words = "; ".join(f"{bar.name} {bar.said}" for bar in bars)
    render.bar_list(
        bars,
        key="parts",
        about=f"Saliency by part of the prompt, relative to the largest: {words}.",
        legend=[("", "saliency, largest part = 1:"), ("warm", "towards"), ("cool", "away")],
        chosen="" if selection.part is None else str(selection.part),
        on_bar=lambda part: choose(part=None if int(part) == selection.part else int(part)),
    )
