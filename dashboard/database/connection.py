"""EDGE: opens the published database of this process's folder; one handle per folder, one snapshot per rerun."""

import os
from pathlib import Path

import streamlit as st

from indexer.database.reader import Database, Snapshot
from indexer.search.text_index import TextIndex, open_text_index

FOLDER_VARIABLE = "WHENCE_FOLDER"
_TAKEN = "snapshot of this rerun"


def folder() -> Path:
    """The output folder that this dashboard shows; `whence serve FOLDER` sets it."""
    return Path(os.environ.get(FOLDER_VARIABLE, "data/demo/build")).resolve()


def begin() -> Snapshot:
    """Once a rerun: take the newest published snapshot, which `current` gives until the next rerun takes its own.

    Raises BadInput when there is none, Damaged when none is whole.
    """
    st.session_state[_TAKEN] = newest()
    return current()


def current() -> Snapshot:
    """The snapshot of this rerun: one screen never mixes two generations."""
    taken: Snapshot = st.session_state[_TAKEN]
    return taken


def newest() -> Snapshot:
    """The newest published snapshot, which may be younger than the one on the page."""
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
