"""EDGE: new prompts: one worker process for all sessions of this server, started by the first question."""

import os
import uuid
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from attribution.errors import BadInput
from dashboard.database.connection import folder
from indexer.ask.kept import kept_at, kept_job
from indexer.corpus.typed import typed_row, without_mark
from indexer.worker.client import Worker
from indexer.worker.job import Job, cancelled, job_id

LONGEST_PROMPT = 500_000  # characters, with its documents
LONGEST_GIVEN = 1_000_000  # characters of a text that was not trained on
PROMPT_KEYS = (
    *("prompt", "messages", "question", "docs", "instruction", "doc_prompt", "template", "tools"),
    *("completion", "output", "foil", "foil_of", "saliency"),
)
LONGER = 5.0  # times the usual time, for a job that goes on
FUNCTION_VARIABLE = "WHENCE_ASK"  # package.module:function that answers, for tests


def submit(prompt: str, models: Sequence[str]) -> list[Job]:
    """Ask every one of `models` to continue `prompt`; the same question is the same job.

    Raises BadInput for what begins like JSON and is none, and for what is too long, TryAgain when too many wait.
    """
    return submit_row(asked(prompt), models)


def submit_row(row: dict[str, Any], models: Sequence[str]) -> list[Job]:
    """The same for a line of a prompt file that is parsed already. Raises TryAgain when too many wait."""
    given = {"saliency": []} | row  # the prompt's saliency is computed when it is looked at
    return [_submit({"folder": str(folder()), "model": model} | given) for model in models]


def of_size(job: Job, model: str) -> dict[str, Any]:
    """The request that asks another size the question of a job."""
    return job.request | {"model": model}


def in_size(job: Job, model: str) -> Job | None:
    """The same question in another size, as far as it is known; None where it was not asked."""
    return news(job_id(of_size(job, model)))


def ask_size(job: Job, model: str) -> Job:
    """Ask another size the question of a job. Raises TryAgain when too many wait."""
    return _submit(of_size(job, model))


def go_on(job: Job) -> Job:
    """Ask once more what was cut short, with more time; what is known stays. Raises TryAgain when too many wait."""
    return _submit(job.request, longer=LONGER)


def submit_saliency(of: dict[str, Any], method: str) -> Job:
    """One saliency method of one answer; `of` as `saliency_of` makes it. Raises TryAgain when too many wait."""
    return _submit(of | {"method": method})


def saliency_job(of: dict[str, Any], method: str) -> Job | None:
    """The job of that, as far as it is known; None where it was not asked for."""
    return news(job_id(of | {"method": method}))


def saliency_of(generation_id: str, model: str) -> dict[str, Any]:
    """What names a stored answer in a request for saliency."""
    return {"kind": "saliency", "folder": str(folder()), "model": model, "generation_id": generation_id}


def saliency_of_asked(job: Job, ids: Sequence[int]) -> dict[str, Any]:
    """What names the answer of a job: its question, and the ids that were written."""
    question = {name: value for name, value in job.request.items() if name not in ("saliency", "exact")}
    return question | {"kind": "saliency", "ids": list(ids)}


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
    return _submit(request | ({"instead_of": instead_of} if instead_of else {}))


def _submit(request: dict[str, Any], longer: float = 1.0) -> Job:
    """This session waits for it, whether it had left it or not."""
    job = worker().submit(request, session_id(), longer)
    _left().discard(job.id)
    return job


def asked(prompt: str) -> dict[str, Any]:
    """A line of a prompt file (a chat, a question with documents of its own), or plain text.

    Raises BadInput for what begins like JSON and is none, and for what is too long: nothing is cut.
    """
    if len(prompt) > LONGEST_PROMPT:
        found = f"found {len(prompt):,}; nothing is cut, so shorten it"
        raise BadInput(f"Expected a prompt of at most {LONGEST_PROMPT:,} characters, {found}.")
    row = typed_row(prompt)
    if row is None:
        return {"prompt": without_mark(prompt)}
    return {name: value for name, value in row.items() if name in PROMPT_KEYS}


def news(job_id: str) -> Job | None:
    """The job as it is now, and a sign that this session still waits; one that ended before the server was started
    comes from the asked prompts of the folder. None when it is in neither.

    A job that this session has left is cancelled here, even while others wait for it."""
    job = worker().job(job_id)
    if job is None:
        at = kept_at(folder(), job_id)
        try:
            return _kept(folder(), job_id, at) if at else None
        except LookupError:
            return None
    if job.ended:
        return job
    if job_id in _left():
        return cancelled(job)
    worker().touch(job_id, session_id())
    return job


@lru_cache(maxsize=8)
def _kept(folder: Path, asked_id: str, at: str) -> Job:
    """One rerun asks for it several times, and to read and check it takes as long as all else.    at: when the answer
    was kept, since another one may take its place. Raises LookupError, which is not remembered, where it cannot be read
    now."""
    found = kept_job(folder, asked_id)
    if found is None:
        raise LookupError(asked_id)
    return found


def leave(job_id: str) -> None:
    """This session waits no more, until it asks again; without others the job is cancelled."""
    worker().leave(job_id, session_id())
    _left().add(job_id)


def _left() -> set[str]:
    left: set[str] = st.session_state.setdefault("jobs that were left", set())
    return left


@st.cache_resource(show_spinner=False)
def worker() -> Worker:
    """The worker of this server; no process runs before the first question."""
    return Worker(os.environ.get(FUNCTION_VARIABLE, "indexer.questions:run"))


def session_id() -> str:
    """A name for this browser session, drawn once."""
    name: str = st.session_state.setdefault("session name", uuid.uuid4().hex)
    return name
