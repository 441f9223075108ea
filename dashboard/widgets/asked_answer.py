"""The answer that a screen is about: of a new prompt as far as it is known, or one line about why there is none."""

import streamlit as st

from dashboard.address.bar import still
from dashboard.asking import jobs
from dashboard.asking.refused import trying
from dashboard.asking.result import AskedAnswer
from dashboard.asking.surprise import in_words, surprise_of
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.widgets.ask_box import watch
from indexer.worker.job import Job

NOTHING = "The model answered with nothing. Ask with other words."
FORGOTTEN = "The server no longer holds this answer (it was restarted, or the answer is old). Ask again."


def asked_answer(snapshot: Snapshot, job_id: str) -> AskedAnswer | None:
    """Draws the progress of a new prompt, or what is wrong with it; None as long as there is nothing else to show."""
    job = jobs.news(job_id)
    if job is None:
        render.problem(FORGOTTEN)
        return None
    if not job.ended:
        watch([job])
    found = answer_of(snapshot, job)
    if job.error:
        explain_end(job, found is not None)
    elif job.ended and found is None:
        render.problem(NOTHING)
    if found is not None:
        say_surprise(found)
    return found


def answer_of(snapshot: Snapshot, job: Job) -> AskedAnswer | None:
    """What is known of a new prompt; None before its first token, and of a model that the database lacks."""
    result = job.result or job.payload or {}
    name = str(job.request.get("model", ""))
    model = next((each for each in answers.models(snapshot) if each.name == name), None)
    return AskedAnswer(snapshot, result, model, job.id) if model is not None and result.get("tokens") else None


def say_surprise(answer: AskedAnswer) -> None:
    """Whether the size takes the prompt for language; nothing where that was not measured."""
    model, nats = answer.generation.model, answer.said_nats()
    beginnings = answer.result.get("beginnings") or {}
    found = surprise_of(nats, beginnings, formed=any(part.kind == "scaffold" for part in answer.parts()))
    if found is not None:
        render.prose(("note", in_words(found, model.name)))


def explain_end(job: Job, known: bool, size: str = "") -> None:
    """Why a job ended early; what is known stays, and it may go on.    size: its name, among several"""
    of = f"{size}: " if size else ""
    if not known:
        render.problem(f"{of}{job.error}")
    else:
        left = [str(each) for each in (job.payload or {}).get("left", ())]
        missing = f" Not computed: {'; '.join(left)}." if left else ""
        render.prose(("note", f"{of}{job.error} What was known by then is shown.{missing}"))
    if not job.again:
        return
    st.button(
        "Go on, with more time" if known else "Ask again",
        key=f"go on {job.id}",
        on_click=still(lambda: _go_on(job)),
        icon=":material/replay:",
    )


def _go_on(job: Job) -> None:
    with trying():
        jobs.go_on(job)


def explain_absence(generation_id: str) -> None:
    """That an address names no answer of the database, or that there is none at all."""
    if generation_id:
        render.problem(f"No answer {generation_id} in this database. Runs lists those that it has.")
    else:
        render.problem("This database holds no answers yet.", ("command", "whence build CONFIG"))
