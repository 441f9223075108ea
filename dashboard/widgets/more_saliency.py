"""Saliency of an answer that is not kept: computed for the very tokens that the page shows, when somebody looks."""

from typing import Any

import streamlit as st

from attribution.prompt.saliency.method import computed, label, on_demand
from dashboard.address.bar import choose, selection, still
from dashboard.asking import jobs
from dashboard.asking.computed import with_map
from dashboard.asking.refused import SALIENCY, refused, trying
from dashboard.asking.result import AskedAnswer
from dashboard.database.kept.answer import StoredAnswer
from dashboard.database.queries import prompts
from dashboard.drawing import render
from dashboard.widgets.ask_box import watch
from indexer.worker.job import Job

USUAL = "grad_x_input"  # of a new answer, where nothing was measured


def with_chosen_map(answer: StoredAnswer | AskedAnswer) -> StoredAnswer | AskedAnswer:
    """The answer with the map of the method that is chosen, as soon as it is known. Of a new answer that has none the
    best map is asked for by itself, once; of others when one is chosen below."""
    of = _named(answer)
    if of is None:
        return answer
    method = wanted_method(answer)
    if not method or method in answer.saliency_methods():
        return answer
    job = jobs.saliency_job(of, method)
    if job is None and isinstance(answer, AskedAnswer) and not answer.saliency_methods():
        job = _submit(of, method)
    scores = (job.result or {}).get("scores") if job is not None else None
    return with_map(answer, method, scores) if scores else answer


def wanted_method(answer: StoredAnswer | AskedAnswer) -> str:
    """The method that is chosen; of an answer without any map the one that was found to hold best."""
    if selection().saliency:
        return selection().saliency if selection().saliency in computed() else ""
    if answer.saliency_methods():
        return ""
    best = prompts.best_saliency(answer.snapshot, answer.generation.model.model_id)
    return best if best in computed() else USUAL


def show_more(answer: StoredAnswer | AskedAnswer) -> None:
    """What is under way, and what else can be computed."""
    if with_chosen_map(answer) is not answer:  # a job has ended since the page looked for its map
        st.rerun()
    of = _named(answer)
    if of is None:
        return
    known = answer.saliency_methods()
    method = wanted_method(answer)
    job = jobs.saliency_job(of, method) if method and method not in known else None
    if job is not None and not job.ended:
        st.caption(f"{label(method)} is being computed.")
        watch([job])
    elif job is not None and job.error:
        render.prose(("note", f"{label(method)} is not computed: {job.error}"))
    elif method and method not in known:
        st.caption(f"{label(method)} is not computed.")
    missing = [name for name in on_demand() if name not in known]
    if job is not None and not job.ended:
        missing = [name for name in missing if name != method]
    if missing:
        _offer(of, missing)
    if why := refused(SALIENCY):
        render.problem(why)


def _offer(of: dict[str, Any], missing: list[str]) -> None:
    key = f"another method for {of.get('generation_id') or selection().job}"

    def compute() -> None:
        method = st.session_state[key]
        if method is not None:
            choose(saliency=method)
            _submit(of, method)

    st.selectbox(
        "Compute another method",
        missing,
        index=None,
        key=key,
        format_func=label,
        on_change=still(compute),
        placeholder="Compute another method",
        label_visibility="collapsed",
    )


def _submit(of: dict[str, Any], method: str) -> Job | None:
    with trying(SALIENCY):
        return jobs.submit_saliency(of, method)
    return None


def _named(answer: StoredAnswer | AskedAnswer) -> dict[str, Any] | None:
    """What names the answer in a request; None while a new one is under way, and where its tokens have no ids."""
    if not isinstance(answer, AskedAnswer):
        return jobs.saliency_of(answer.generation.generation_id, answer.generation.model.name)
    job = jobs.news(answer.generation.generation_id)
    ids = [row.get("token_id") for row in answer.result.get("tokens", [])]
    if job is None or not job.ended or not ids or None in ids:
        return None
    return jobs.saliency_of_asked(job, ids)
