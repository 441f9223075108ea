"""Compare: the sizes of a family side by side, token by token, and what changes with size over all prompts."""

import math
from collections.abc import Sequence

import streamlit as st

from dashboard import charts, render
from dashboard.address_bar import choose, open_screen, selection, settle
from dashboard.comparison import Size, agreements, compare, joined
from dashboard.database import current
from dashboard.figures import parameters, percent
from dashboard.panels.across import show_across
from dashboard.queries import answers, documents
from dashboard.queries.rows import Snapshot
from dashboard.shading import prompt_share
from dashboard.shapes import JoinedRow, SizeRow, SizeToken


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    found = answers.generation(snapshot, chosen.generation) if chosen.generation else answers.example(snapshot)
    if found is None:
        render.problem("No such answer in this database. Runs lists those that it has.")
        return
    if not chosen.generation:
        chosen = settle(generation=found.generation_id, span=(0, 0))
    position = chosen.span[0] if chosen.span else 0

    # ask
    siblings = answers.generations_of(snapshot, [found.prompt_id])[found.prompt_id]
    compared = compare(snapshot, siblings, position)

    # shape
    rows = [_row(size) for size in compared]

    # show
    _choose_prompt(snapshot, found.prompt_id)
    render.prose(("quote", found.prompt))
    render.size_grid(
        rows,
        key=f"grid {found.prompt_id}",
        column=position,
        on_cell=lambda row, column: choose(generation=siblings[row].generation_id, span=(column, column)),
    )
    _show_documents(snapshot, compared, position)
    show_across(snapshot)


def _choose_prompt(snapshot: Snapshot, prompt_id: str) -> None:
    prompts = dict(answers.prompts(snapshot, 500))
    st.session_state["compared prompt"] = prompt_id

    def changed() -> None:
        found = answers.generations_of(snapshot, [st.session_state["compared prompt"]])
        for generations in found.values():
            choose(generation=generations[0].generation_id, span=(0, 0))

    known = list(prompts) if prompt_id in prompts else [prompt_id, *prompts]
    st.selectbox(
        "Prompt",
        known,
        key="compared prompt",
        format_func=lambda each: render.option(prompts.get(each, each)),
        on_change=changed,
        label_visibility="collapsed",
    )


def _row(size: Size) -> SizeRow:
    tokens = [
        SizeToken(
            token.text,
            math.exp(token.logp) if math.isfinite(token.logp) else None,
            prompt_share(token),
            fork=token.position == size.departs,
            off=size.departs is not None and token.position > size.departs,
        )
        for token in size.tokens
    ]
    right = {True: "right", False: "wrong", None: ""}[size.generation.right]
    about = " · ".join(part for part in (parameters(size.generation.model.n_params), right) if part)
    return SizeRow(size.name, about, tokens)


def _show_documents(snapshot: Snapshot, compared: Sequence[Size], position: int) -> None:
    st.subheader("Documents behind this token, joined")
    words = {size.tokens[position].text for size in compared if position < len(size.tokens)}
    if len(words) > 1:
        st.caption("The sizes wrote different tokens here, so their documents answer different questions.")
    st.caption("Ranks and shares only: raw influences of different sizes are not on one scale.")
    ids = joined(compared)
    if not ids:
        st.caption("No influence is stored for this token.")
        return
    found = documents.documents(snapshot, ids)
    places = [{each.document_id: (i, each) for i, each in enumerate(size.top)} for size in compared]
    totals = [sum(each.score for each in size.top) or 1.0 for size in compared]
    rows = [
        JoinedRow(
            found[document_id],
            [
                (place[document_id][0] + 1, place[document_id][1].score / total) if document_id in place else None
                for place, total in zip(places, totals, strict=True)
            ],
        )
        for document_id in ids
        if document_id in found
    ]
    render.join_table(
        rows[:12],
        [size.name for size in compared],
        key="joined",
        on_document=lambda document_id: open_screen("corpus", document=document_id),
    )
    render.prose(
        *[
            ("note", [(f"{small} and {large}", "strong"), (f": overlap at 10 {percent(overlap)}, ", ""),
                      (f"rank-biased overlap {biased:.2f}", "")])
            for small, large, overlap, biased in agreements(compared)
        ]
    )  # fmt: skip
    if any(size.shares for size in compared):
        st.subheader("Layers, by depth")
        st.caption("Share of the ten documents' influence by layer; 0 % is the first block, 100 % the last one.")
        st.altair_chart(charts.depth_profiles(compared), width="stretch")
