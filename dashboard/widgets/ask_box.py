"""Ask: one box on every screen. The answer is computed by the worker process and shown on Explain."""

import streamlit as st

from attribution.errors import WhenceError
from dashboard.address.bar import choose, open_screen, selection
from dashboard.asking import jobs
from dashboard.database.records import Model
from dashboard.drawing import render
from dashboard.drawing.numbers import parameters

_REFUSED = "why the last question was refused"
_OF_PAGE = "model that the page showed"
EVERY = 0.6  # seconds between two looks at a job


def show_box(models: list[Model], of_page: str = "") -> None:
    """The box of the frame. Enter asks. of_page: the name of the model that the page shows, which is asked unless
    another one is chosen while it is shown."""
    if not models:
        return
    by_name = {model.name: model for model in models}
    if of_page in by_name and st.session_state.get(_OF_PAGE) != of_page:
        st.session_state[_OF_PAGE] = st.session_state["ask size"] = of_page
    with st.form("ask", border=False), st.container(key="ask"):
        text, size, button = st.columns([7, 2.2, 1], vertical_alignment="bottom")
        text.text_input(
            "Ask a new prompt",
            key="ask text",
            placeholder="Ask: begin a sentence, and see where its continuation comes from",
            label_visibility="collapsed",
        )
        size.selectbox(
            "Ask which size",
            list(by_name),
            key="ask size",
            format_func=lambda name: render.option(f"{name} · {parameters(by_name[name].n_params)}"),
            label_visibility="collapsed",
        )
        button.form_submit_button("Ask", on_click=_ask, width="stretch", icon=":material/arrow_forward:")
    if refused := st.session_state.pop(_REFUSED, ""):
        render.problem(refused)


@st.fragment(run_every=EVERY)
def watch(job_id: str) -> None:
    """Progress of a job that is under way; reruns the page when there is something to show."""
    job = jobs.news(job_id)
    if job is None or job.ended or _has_first_result(job.payload, job_id):
        st.rerun()
    where = f"{job.position} before it in the queue" if job.position else (job.stage or "starting the model")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(min(max(job.fraction, 0.02), 1.0), text=render.label(where))
        st.button("Cancel", on_click=lambda: _cancel(job_id), key="cancel job")


def _has_first_result(payload: dict[str, object] | None, job_id: str) -> bool:
    """Whether the job shows more than the page does."""
    n_known = len(payload or {})
    grown: bool = n_known > st.session_state.get(f"known of {job_id}", 0)
    st.session_state[f"known of {job_id}"] = n_known
    return grown


def _ask() -> None:
    prompt = st.session_state["ask text"].rstrip()
    if not prompt.strip():
        st.session_state[_REFUSED] = "Expected the beginning of a sentence, found nothing; write some words and ask."
        return
    try:
        job = jobs.submit(prompt, st.session_state["ask size"])
    except WhenceError as error:
        st.session_state[_REFUSED] = str(error)
        return
    screen = "context" if job.request.get("docs") else "explain"
    open_screen(screen, generation="", job=job.id, span=None, document="")


def _cancel(job_id: str) -> None:
    jobs.leave(job_id)
    if job_id in (selection().job, selection().what_if):
        choose(job="", what_if="")
