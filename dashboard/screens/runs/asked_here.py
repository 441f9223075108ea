"""Prompts that were asked here, by the box of the frame or by `ask --save`: they outlive the server."""

import json

import streamlit as st

from dashboard.address.bar import open_screen
from dashboard.database.connection import folder
from dashboard.database.prompt_turns import Turn
from dashboard.database.turns import said
from dashboard.drawing import render
from dashboard.drawing.shapes import Answer, PromptRow
from indexer.ask.kept import AskedPrompt, kept

SHOWN = 10


def show_asked(text: str) -> None:
    """The newest answers whose prompt or text holds `text`; nothing where there are none."""
    asked = kept(folder())
    if asked.notice:
        render.problem(asked.notice)
    found = [each for each in asked.answers if text.lower() in f"{each.prompt}{each.text}".lower()]
    if not found:
        return
    with st.expander(f"Asked here: {len(found):,}", expanded=len(found) <= SHOWN):
        st.caption("New prompts and their answers, newest first. They are not part of the published database.")
        rows = [_row(each) for each in found[:SHOWN]]
        render.prompt_table(rows, ["answer"], key="asked", on_generation=_open)


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


def _row(asked: AskedPrompt) -> PromptRow:
    about = f"{asked.model} · {asked.created_at:%d %b %Y}"
    return PromptRow(
        asked.asked_id, _turns(asked), about, [Answer(asked.asked_id, asked.model, [(asked.text, False)], None, "")]
    )
