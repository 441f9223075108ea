"""EDGE: opens the published database of this process's folder; one handle per folder, one snapshot per rerun."""

import os
from pathlib import Path

import streamlit as st

from indexer.database.reader import Database, Snapshot

FOLDER_VARIABLE = "WHENCE_FOLDER"


def folder() -> Path:
    """The output folder that this dashboard shows; `python -m dashboard FOLDER` sets it."""
    return Path(os.environ.get(FOLDER_VARIABLE, "data/demo/build")).resolve()


def current() -> Snapshot:
    """The newest published snapshot; BadInput when there is none, Damaged when none is whole."""
    return _database(str(folder())).current()


@st.cache_resource(max_entries=4, show_spinner=False)
def _database(path: str) -> Database:
    return Database(Path(path))
