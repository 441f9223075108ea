"""A question over documents of one's own: written into fields, uploaded as files, or pasted as JSON."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from attribution.errors import BadInput
from dashboard.asking import jobs
from dashboard.asking.refused import forget, refuse, trying
from dashboard.widgets.ask_box import ask_row
from indexer.corpus.typed import typed_row

MOST = 12  # documents
FIRST = 2  # that the form begins with: one has nothing to be compared with
EXAMPLE = '{"question": "…", "docs": [{"title": "…", "text": "…"}, {"title": "…", "text": "…"}]}'
TABS = ("Write or upload", "Paste JSON")
_NUMBER, _FILES, _OPEN = "documents of the form", "files of the form", "form is open"


def show_form(model: str, opened: bool) -> None:
    """model: the name of the size that is asked."""
    expanded = opened or bool(st.session_state.get(_OPEN))
    with st.expander("Ask about documents of your own", expanded=expanded, icon=":material/library_add:"):
        written, pasted = st.tabs(TABS)
        with written:
            _show_fields(model)
        with pasted:
            _show_json(model)


def fill(question: str, documents: Sequence[tuple[str, str]]) -> None:
    """For callbacks: a question and at most MOST documents (title, text) into the fields, to be changed and asked."""
    st.session_state["context question"] = question
    st.session_state[_NUMBER] = max(len(documents), FIRST)
    for i in range(1, MOST + 1):
        title, text = documents[i - 1] if i <= len(documents) else ("", "")
        st.session_state[f"context title {i}"], st.session_state[f"context text {i}"] = title, text
    st.session_state[_OPEN] = True


def _show_fields(model: str) -> None:
    st.text_input("Question", key="context question", placeholder="What shall be answered from the documents?")
    for i in range(1, _number() + 1):
        title, text = st.columns([1, 3])
        title.text_input(f"Title {i:d}", key=f"context title {i}", placeholder="may be empty")
        text.text_area(f"Document {i:d}", key=f"context text {i}", height=80, placeholder="What it says")
    st.file_uploader(
        "Text files, each a document more",
        type=["txt", "md"],
        accept_multiple_files=True,
        key=f"{_FILES} {st.session_state.get(_FILES, 0)}",
        on_change=_take_files,
    )
    with st.container(horizontal=True):
        st.button("Add a document", on_click=_add, disabled=_number() >= MOST, icon=":material/add:")
        st.button("Ask these documents", key="ask documents", type="primary", on_click=lambda: _ask_fields(model))


def _show_json(model: str) -> None:
    st.caption("A line of a prompt file: a question with documents, or a conversation with documents beside it.")
    st.text_area("JSON", key="context json", height=160, placeholder=EXAMPLE)
    st.button("Ask this JSON", key="ask json", type="primary", on_click=lambda: _ask_json(model))


def _number() -> int:
    number: int = st.session_state.setdefault(_NUMBER, FIRST)
    return number


def _add() -> None:
    st.session_state[_NUMBER] = min(_number() + 1, MOST)


def _take_files() -> None:
    """Into the first fields that are empty, and further ones; the uploader begins anew, so that none is taken twice."""
    forget()
    for file in st.session_state[f"{_FILES} {st.session_state.get(_FILES, 0)}"]:
        try:
            text = file.getvalue().decode("utf-8")
        except UnicodeDecodeError:
            refuse(f"Expected text in UTF-8, found other bytes in {file.name}; convert the file.")
            continue
        free = [i for i in range(1, MOST + 1) if not st.session_state.get(f"context text {i}", "").strip()]
        if not free:
            refuse(f"Expected at most {MOST} documents, found {file.name} one more; ask without it.")
            break
        st.session_state[_NUMBER] = max(_number(), free[0])
        st.session_state[f"context title {free[0]}"] = file.name.rpartition(".")[0]
        st.session_state[f"context text {free[0]}"] = text
    st.session_state[_FILES] = st.session_state.get(_FILES, 0) + 1


def _ask_fields(model: str) -> None:
    given = [
        {"title": st.session_state[f"context title {i}"].strip(), "text": st.session_state[f"context text {i}"]}
        for i in range(1, _number() + 1)
    ]
    docs = [each for each in given if each["text"].strip()]
    question = st.session_state["context question"].strip()
    if not question:
        refuse("Expected a question, found none; write what shall be answered from the documents.")
    elif not docs:
        refuse("Expected a document, found none; write what it says, or upload a text file.")
    else:
        st.session_state[_OPEN] = False
        ask_row({"question": question, "docs": docs}, [model])


def _ask_json(model: str) -> None:
    text = st.session_state["context json"]
    with trying():
        row: dict[str, Any] | None = typed_row(text)
        if row is None or not row.get("docs"):
            raise BadInput(f"Expected JSON with 'docs', found {text[:40]!r}; write {EXAMPLE}")
        ask_row({name: value for name, value in row.items() if name in jobs.PROMPT_KEYS}, [model])
