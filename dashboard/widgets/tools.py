"""The tools of every screen: a link to this view, its numbers as files, and what run they come from."""

from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model
from dashboard.drawing import render
from dashboard.export.files import as_json, csv, json_lines, parquet
from dashboard.export.html import page
from dashboard.export.link import server_of
from dashboard.export.sheet import Sheet
from dashboard.widgets.about_run import show_about_run

FILES = {
    "csv": ("Table (CSV)", "text/csv", csv),
    "parquet": ("Table (Parquet)", "application/vnd.apache.parquet", parquet),
    "jsonl": ("A row a line (JSON Lines)", "application/jsonl", json_lines),
    "json": ("Everything shown (JSON)", "application/json", as_json),
    "html": ("This page (HTML, works offline)", "text/html", page),
}


def show_tools(snapshot: Snapshot, sheet: Sheet | None, model: Model | None) -> None:
    """Copy link, Export and About this run; a file is made when it is asked for."""
    with st.container(horizontal=True, width="content", vertical_alignment="center", key="tools"):
        render.copy_link()
        if sheet is not None:
            _show_export(_placed(snapshot, sheet))
        with st.popover("About this run", key="about run", width="content"):
            show_about_run(snapshot, model)


def show_tools_alone(snapshot: Snapshot, sheet: Sheet | None, model: Model | None) -> None:
    """The same at the right edge of a line of their own."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        show_tools(snapshot, sheet, model)


def _placed(snapshot: Snapshot, sheet: Sheet) -> Sheet:
    """With what leads back from a file: the server, the screen and the database of this rerun."""
    server = server_of(st.context.url)
    path = (st.context.url or "").removeprefix(server)
    return replace(sheet, server=server, path=path, database=snapshot.name)


def _show_export(sheet: Sheet) -> None:
    with st.popover("Export", key="export", width="content"):
        st.caption("The numbers of this screen, in the order of the page.")
        for name, (label, kind, make) in FILES.items():
            st.download_button(
                render.label(label),
                partial(make, sheet),
                file_name=f"{sheet.name}.{name}",
                mime=kind,
                key=f"export {name}",
                on_click="ignore",
                width="stretch",
            )
