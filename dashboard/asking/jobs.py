"""EDGE: new prompts: one worker process for all sessions of this server, started by the first question."""

import os
import uuid
from typing import Any

import streamlit as st

from attribution.errors import BadInput
from dashboard.database.connection import folder
from indexer.ask.kept import kept_job
from indexer.corpus.typed import typed_row
from indexer.worker.client import Worker
from indexer.worker.job import Job

LONGEST_PROMPT = 4_000  # characters
LONGEST_LINE = 500_000  # characters of a prompt with documents
LONGEST_GIVEN = 1_000_000  # characters of a text that was not trained on
PROMPT_KEYS = (
    *("prompt", "messages", "question", "docs", "instruction", "doc_prompt", "template"),
    *("completion", "output", "foil", "foil_of", "saliency"),
)
FUNCTION_VARIABLE = "WHENCE_ASK"  # package.module:function that answers, for tests


def submit(prompt: str, model: str) -> Job:
    """Ask `model` to continue `prompt`; the same question is the same job.

    Raises BadInput for what begins like JSON and is none, TryAgain when too many wait.
    """
    return submit_row(asked(prompt), model)


def submit_row(row: dict[str, Any], model: str) -> Job:
    """The same for a line of a prompt file that is parsed already. Raises TryAgain when too many wait."""
    return worker().submit({"folder": str(folder()), "model": model} | row, session_id())


def submit_what_if(text: str, model: str, generation_id: str, instead_of: str = "") -> Job:
    """What `text`, had `model` been trained on it, would have done to an answer of the database; `instead_of` names the
    document that it takes the place of, none for one more.

    Raises BadInput for an empty text and for one that is too long, TryAgain when too many wait.
    """
    if not text.strip():
        raise BadInput("Expected a text, found nothing but white space; write what the model might have read.")
    if len(text) > LONGEST_GIVEN:
        raise BadInput(
            f"Expected a text of at most {LONGEST_GIVEN:,} characters, found {len(text):,}; give a part of it."
        )
    request = {"kind": "what_if", "folder": str(folder()), "model": model, "text": text, "generation_id": generation_id}
    return worker().submit(request | ({"instead_of": instead_of} if instead_of else {}), session_id())


def asked(prompt: str) -> dict[str, Any]:
    """A line of a prompt file (a chat, a question with documents of its own), or plain text."""
    row = typed_row(prompt[:LONGEST_LINE])
    if row is None:
        return {"prompt": prompt[:LONGEST_PROMPT]}
    return {name: value for name, value in row.items() if name in PROMPT_KEYS}


def news(job_id: str) -> Job | None:
    """The job as it is now, and a sign that this session still waits; one that ended before the server was started
    comes from the asked prompts of the folder. None when it is in neither."""
    job = worker().job(job_id)
    if job is None:
        return kept_job(folder(), job_id)
    if not job.ended:
        worker().touch(job_id, session_id())
    return job


def leave(job_id: str) -> None:
    """This session waits no more; without others the job is cancelled."""
    worker().leave(job_id, session_id())


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """The worker of this server; no process runs before the first question."""
    return Worker(os.environ.get(FUNCTION_VARIABLE, "indexer.ask.job:run"))


def session_id() -> str:
    """A name for this browser session, drawn once."""
    name: str = st.session_state.setdefault("session name", uuid.uuid4().hex)
    return name
