"""By what the tokens of a document's page are shaded: its influence on all stored answers, or on one that is chosen."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import streamlit as st

from dashboard.address.choices import HEATS
from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents, influence, spans
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.database.span_records import HeatedAnswer
from dashboard.database.unit import Calibration, Unit, unit_for
from dashboard.drawing import render
from dashboard.drawing.heat import heat_legend
from dashboard.drawing.numbers import counted, decimals, plain, signed
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import Legend
from dashboard.widgets import controls

ALL = "All stored answers together"
LONGEST = 100  # characters of a prompt in the list


@dataclass(frozen=True)
class Shaded:
    """values: of the document's tokens, [] where they are not known; high: at full colour; legend: None without values.

    answer: the one that they are about, None for all; name: which heat it is, where that is a choice; named: how the
    answers are called for which there are values, the most swayed first
    """

    texts: list[str] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    high: float = 1.0
    legend: Legend | None = None
    answer: HeatedAnswer | None = None
    unit: Unit = field(default_factory=Unit)
    name: str = ""
    named: Mapping[str, str] = field(default_factory=dict)

    @property
    def unsigned(self) -> bool:
        """Whether the values are sizes."""
        return self.answer is None

    @property
    def about(self) -> dict[str, Any]:
        """For a file."""
        of = self.answer
        return {
            "of": {"prompt": of.prompt, "answer": of.answer, "generation_id": of.generation_id} if of else ALL,
            "scale": self.legend.name if self.legend else "",
            "tokens": [{"text": text, "value": each} for text, each in zip(self.texts, self.values, strict=False)],
        }


def shaded(snapshot: Snapshot, document_id: str, model: Model, chosen: Selection) -> Shaded:
    """As it is chosen, by the run of this size that agrees best with retraining."""
    run_id = next((each.run_id for each in answers.best_first(snapshot, model.model_id)), "")
    texts = documents.document_tokens(snapshot, model.tokenizer_id, [document_id]).get(document_id, [])
    known = spans.heated_answers(snapshot, run_id, document_id)
    named = _named(influence.calibration(snapshot, run_id), known)
    answer = next((each for each in known if each.generation_id == chosen.heated), None)
    if answer is None:
        return replace(_over_all(texts, documents.summed_heat(snapshot, run_id, document_id)), named=named)
    heat = spans.heat_for(snapshot, run_id, answer, model.tokenizer_id, document_id)
    of = {"loss_influences": heat.loss_influences, "shares": heat.shares}
    names = [name for name in (chosen.heat, *of) if len(of[name]) == len(texts) and len(texts)]
    unit = unit_for(influence.calibration(snapshot, run_id), answer.logp, [answer.score])
    if not names:
        return Shaded(answer=answer, unit=unit, named=named)
    values = unit.parts(of[names[0]], answer.score)
    high = robust_top(np.abs(values).tolist()) or 1.0
    legend = heat_legend(names[0], high, unit.name)
    return Shaded(texts, values.tolist(), high, legend, answer, unit, names[0], named)


def choose_heat(shown: Shaded) -> None:
    """All answers together, or one of those for which heat is stored; of one, which heat. Nothing without any."""
    if not shown.named:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        controls.one_of("heated", {"": ALL, **shown.named}, shown=shown.answer.generation_id if shown.answer else "")
        if shown.answer is not None and shown.name:
            with st.container(width=240):
                controls.one_of("heat", HEATS, quiet=True, shown=shown.name)


def say_shaded(chosen: Selection, shown: Shaded) -> None:
    """How much the answer that is chosen is swayed in all, and over which of its tokens."""
    if shown.answer is None:
        if chosen.heated:
            st.caption(
                "For the answer that the address names this document's heat is not stored; all are shown together."
            )
        return
    of = shown.answer
    what = "this answer" if of.span is not None else f"{counted(of.n_known, 'token')} of this answer"
    if shown.unit.slope is None:
        said = f"Percent of all that the document does to {what}. {shown.unit.why}"
    else:
        amount = shown.unit.shown(of.score)
        said = f"The document does {signed(amount, decimals([amount]))} {shown.unit.name} to {what}."
    if not shown.values:
        said += " What each of its tokens does is not stored."
    elif of.span is None:
        said += " For the other tokens, and for the whole answer, its heat is not stored."
    render.prose(("note", said))


def _over_all(texts: list[str], heat: list[float]) -> Shaded:
    """Sizes only, as parts of the largest: tokens of several answers have no one change of log p."""
    top = max(map(abs, heat), default=0.0)
    if not top or len(heat) != len(texts):
        return Shaded()
    values = [100 * each / top for each in heat]
    high = robust_top(values)
    name = "Size of its influence on all stored answers, % of its strongest token:"
    return Shaded(texts, values, high, Legend(name, "0", plain(high), top=high, unit="%"))


def _named(calibration: Calibration | None, known: Sequence[HeatedAnswer]) -> dict[str, str]:
    """How each answer is called: its prompt, what was written, and what the document does to it."""
    named = {}
    for each in known:
        unit = unit_for(calibration, each.logp, [each.score])
        amount = unit.shown(each.score)
        told = "helped" if each.score > 0 else "hurt"
        if unit.slope is not None and math.isfinite(amount):
            told = f"{signed(amount, decimals([amount]))} {unit.name}"
        asked = " ".join(each.prompt.split())
        asked = asked if len(asked) <= LONGEST else f"…{asked[-LONGEST:]}"
        named[each.generation_id] = render.option(f"{asked} → {' '.join(each.answer.split())} ({told})")
    return named
