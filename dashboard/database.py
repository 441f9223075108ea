"""EDGE: opens the published database of this process's folder; one handle per folder, one snapshot per rerun."""

import os
from pathlib import Path

import streamlit as st

from indexer.database.reader import Database, Snapshot
from indexer.textindex import TextIndex, open_text_index

FOLDER_VARIABLE = "WHENCE_FOLDER"


def folder() -> Path:
    """The output folder that this dashboard shows; `python -m dashboard FOLDER` sets it."""
    return Path(os.environ.get(FOLDER_VARIABLE, "data/demo/build")).resolve()


def current() -> Snapshot:
    """The newest published snapshot; BadInput when there is none, Damaged when none is whole."""
    return _database(str(folder())).current()


def text_index() -> TextIndex:
    """The text index of the corpus, its hashes checked when it is first opened; Damaged or BadInput without one."""
    return _text_index(str(folder()), current().name)


@st.cache_resource(max_entries=2, show_spinner=False)
def _text_index(path: str, snapshot: str) -> TextIndex:
    del snapshot  # a new publication may bring a new index
    return open_text_index(Path(path))


@st.cache_resource(max_entries=4, show_spinner=False)
def _database(path: str) -> Database:
    return Database(Path(path))
