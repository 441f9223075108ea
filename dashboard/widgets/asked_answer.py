"""The answer that a screen is about: of a new prompt as far as it is known, or one line about why there is none."""

from dashboard.asking import jobs
from dashboard.asking.result import AskedAnswer
from dashboard.database.queries import answers
from dashboard.database.queries.rows import Snapshot
from dashboard.drawing import render
from dashboard.widgets.ask_box import watch

NOTHING = "The model answered with nothing. Ask with other words."


def asked_answer(snapshot: Snapshot, job_id: str, needs: str = "tokens", lacking: str = NOTHING) -> AskedAnswer | None:
    """Draws the progress of a new prompt, or what is wrong with it; None as long as there is nothing else to show.

    needs: the part of its result that the screen is about   lacking: what is said where it ends without that
    """
    job = jobs.news(job_id)
    if job is None:
        render.problem("The server no longer holds this answer (it was restarted, or the answer is old). Ask again.")
        return None
    if job.error:
        render.problem(job.error)
        return None
    if not job.ended:
        watch(job.id)
    result = job.result or job.payload or {}
    name = str(job.request.get("model", ""))
    model = next((each for each in answers.models(snapshot) if each.name == name), None)
    if model is None or not result.get(needs):
        if job.ended:
            render.problem(lacking)
        return None
    return AskedAnswer(snapshot, result, model, job.id)


def explain_absence(generation_id: str) -> None:
    """That an address names no answer of the database, or that there is none at all."""
    if generation_id:
        render.problem(f"No answer {generation_id} in this database. Runs lists those that it has.")
    else:
        render.problem("This database holds no answers yet.", ("command", "python -m indexer build CONFIG"))
