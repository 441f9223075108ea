"""Ask: one box on every screen. The worker answers; one size is shown on Explain, all of them on Compare."""

from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.address.bar import choose, open_screen, selection
from dashboard.asking import jobs
from dashboard.asking.refused import refuse, refused, trying
from dashboard.database.records import Model
from dashboard.drawing import render
from dashboard.widgets.size_switch import asked_sizes, choose_size
from indexer.worker.job import Job

EVERY = 0.6  # seconds between two looks at a job


def show_box(models: list[Model], screen: str, of_page: str = "") -> None:
    """The box of the frame and the size that it asks. Enter asks. of_page: as in `choose_size`."""
    if not models:
        return
    with st.container(key="ask"):
        box, size = st.columns([8, 2.2], vertical_alignment="bottom")
        with size:
            choose_size(models, screen, of_page)
        with box, st.form("ask", border=False):
            text, button = st.columns([7, 1], vertical_alignment="bottom")
            text.text_input(
                "Ask a new prompt",
                key="ask text",
                placeholder="Ask: begin a sentence, and see where its continuation comes from",
                label_visibility="collapsed",
            )
            button.form_submit_button(
                "Ask", on_click=lambda: _ask(models, of_page), width="stretch", icon=":material/arrow_forward:"
            )
    if why := refused():
        render.problem(why)


def watch(shown: Sequence[Job]) -> None:
    """Progress of jobs that are under way; reruns the page when one of them knows more than what is shown of it."""
    _watch({job.id: _known(job) for job in shown})


@st.fragment(run_every=EVERY)
def _watch(known: Mapping[str, tuple[int, int]]) -> None:
    found = [(job_id, jobs.news(job_id)) for job_id in known]
    if any(job is None or job.ended or _known(job) != known[job_id] for job_id, job in found):
        st.rerun()
    for job_id, job in found:
        if job is not None:
            _show_progress(job_id, job, named=len(found) > 1)


def _show_progress(job_id: str, job: Job, named: bool) -> None:
    where = f"{job.position} before it in the queue" if job.position else (job.stage or "starting the model")
    where = f"{job.request.get('model', '')}: {where}" if named else where
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(job.fraction, 0.02), 1.0), text=render.label(where))
        st.button("Cancel", on_click=lambda: cancel(job_id), key=f"cancel {job_id}")


def _known(job: Job) -> tuple[int, int]:
    """How much is known of what it computes."""
    payload = job.payload or {}
    return len(payload), len(payload.get("left", ()))


def ask_row(row: dict[str, object], names: Sequence[str]) -> None:
    """For callbacks: ask a line of a prompt file, and go where its answer is shown."""
    with trying():
        _open(jobs.submit_row(row, names))


def cancel(job_id: str) -> None:
    """For callbacks: nobody here waits for a job any more; what is known of it stays on the page."""
    jobs.leave(job_id)
    if job_id == selection().what_if:
        choose(what_if="")


def _ask(models: Sequence[Model], of_page: str) -> None:
    prompt = st.session_state["ask text"].rstrip()
    if not prompt.strip():
        refuse("Expected the beginning of a sentence, found nothing; write some words and ask.")
        return
    with trying():
        _open(jobs.submit(prompt, asked_sizes(models, of_page)))


def _open(asked: Sequence[Job]) -> None:
    """All sizes on Compare, an answer from documents on Context, another one on Explain."""
    first = asked[0]
    screen = "compare" if len(asked) > 1 else "context" if first.request.get("docs") else "explain"
    open_screen(screen, generation="", job=first.id, span=None, document="")
