"""Take away what is on the screen: a link, a table, a page."""

from functools import partial

import streamlit as st

from dashboard import render
from dashboard.explanation import Explanation
from dashboard.exported_page import exported_page
from dashboard.exporting import as_json, csv, parquet
from dashboard.selection import Selection


def show_export(found: Explanation, selection: Selection) -> None:
    """A button for the link, and a menu of files; a file is made when it is asked for."""
    with st.container(horizontal=True, width="content", vertical_alignment="center"):
        render.copy_link()
        with st.popover("Export", key="export"):
            st.caption("All kept documents of the chosen tokens, in the order of the page.")
            for name, kind, make in (
                ("csv", "text/csv", csv),
                ("parquet", "application/vnd.apache.parquet", parquet),
                ("json", "application/json", as_json),
                ("html", "text/html", exported_page),
            ):
                st.download_button(
                    FILES[name],
                    partial(make, found, selection),
                    file_name=f"whence-{found.generation.generation_id}.{name}",
                    mime=kind,
                    key=f"export {name}",
                    on_click="ignore",
                    width="stretch",
                )


FILES = {
    "csv": "Table (CSV)",
    "parquet": "Table (Parquet)",
    "json": "Everything shown (JSON)",
    "html": "This page (HTML, works offline)",
}
