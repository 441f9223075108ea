"""Prompts that were asked here, by the box of the frame or by `ask --save`: they outlive the server."""

import json
from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.address.selection import Selection
from dashboard.database.connection import folder
from dashboard.database.prompt_turns import Turn
from dashboard.database.queries import answers
from dashboard.database.queries.filters import matching_texts
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.database.turns import said
from dashboard.drawing import render
from dashboard.drawing.shapes import Answer, Column, PromptRow
from dashboard.screens.runs.rows import column, marked
from indexer.ask.kept import AskedPrompt, kept

PER_PAGE = 10
UNKNOWN = ("topic", "source", "group", "only")  # filters by what is not known of a new prompt


def show_asked(snapshot: Snapshot, chosen: Selection) -> None:
    """The newest answers that pass the filters; nothing where there are none."""
    asked = kept(folder())
    if asked.notice:
        render.problem(asked.notice)
    models = {each.name: each for each in answers.models(snapshot)}
    found = passing_asked(snapshot, asked.answers, chosen, models)
    if not found:
        if asked.answers and any(getattr(chosen, name) for name in UNKNOWN):
            st.caption(
                "Prompts that were asked here are left out: their topic, the answer that is expected and the sources "
                "behind them are not stored, so none passes such a filter."
            )
        return
    rows = asked_rows(found, chosen, models)
    n_pages = -(-len(rows) // PER_PAGE)
    with st.expander(f"Asked here: {len(found):,}", expanded=len(rows) <= PER_PAGE):
        st.caption("New prompts and their answers, newest first. They are not part of the published database.")
        number = st.pagination(n_pages, key=f"page of {n_pages} asked") if n_pages > 1 else 1
        shown = rows[(number - 1) * PER_PAGE : number * PER_PAGE]
        render.prompt_table(shown, key="asked", on_generation=_open)


def passing_asked(
    snapshot: Snapshot, asked: Sequence[AskedPrompt], chosen: Selection, models: dict[str, Model]
) -> list[AskedPrompt]:
    """Those that pass the filters of Runs; none passes one by what is not known of them. A token, which is looked for
    as a word here, must stand in the answer: which documents stand behind it is not stored."""
    if any(getattr(chosen, name) for name in UNKNOWN) or (chosen.token and chosen.within == "documents"):
        return []
    text = chosen.text.lower()
    found = [
        each
        for each in asked
        if text in f"{each.prompt}{each.text}".lower()
        and chosen.size in ("", each.model)
        and (not chosen.family or (each.model in models and models[each.model].family == chosen.family))
    ]
    if not chosen.token:
        return found
    held = matching_texts(snapshot, [each.text for each in found], chosen.token, chosen.match)
    return [each for each, holds in zip(found, held, strict=True) if holds]


def asked_rows(asked: Sequence[AskedPrompt], chosen: Selection, models: dict[str, Model]) -> list[PromptRow]:
    """One row a prompt, in the order of its newest answer, with a column for each size that was asked; of a size that
    was asked more than once, a row each."""
    rows: list[tuple[str, dict[str, AskedPrompt]]] = []
    for each in asked:
        row = next((of for prompt, of in rows if prompt == each.prompt and each.model not in of), None)
        if row is None:
            rows.append((each.prompt, {each.model: each}))
        else:
            row[each.model] = each
    order = {name: i for i, name in enumerate(models)}
    return [
        _row(sorted(of.values(), key=lambda each: order.get(each.model, len(order))), chosen, models) for _, of in rows
    ]


def _open(asked_id: str) -> None:
    open_screen("explain", generation="", job=asked_id, span=None, document="")


def _turns(asked: AskedPrompt) -> list[Turn]:
    """As it was asked, not as a template wrote it."""
    try:
        given = json.loads(asked.request or "{}")
    except ValueError:
        given = {}
    if isinstance(given, dict) and given.get("messages"):
        return said(json.dumps({"messages": given["messages"]})) or [("", asked.prompt)]
    if isinstance(given, dict) and isinstance(given.get("question"), str):
        return [("", given["question"])]
    return [("", asked.prompt)]


def _row(of: Sequence[AskedPrompt], chosen: Selection, models: dict[str, Model]) -> PromptRow:
    shown = [Answer(each.asked_id, each.model, marked(each.text, chosen.token, chosen.match), None, "") for each in of]
    columns = [column(models[each.model]) if each.model in models else Column(each.model, each.model) for each in of]
    newest = max(each.created_at for each in of)
    return PromptRow(of[0].asked_id, _turns(of[0]), f"{newest:%d %b %Y}", columns, list(shown))
