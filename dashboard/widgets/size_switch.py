"""The size that the page shows and that a question goes to: one selector in the frame, with all of them as a choice."""

from collections.abc import Sequence

import streamlit as st

from dashboard.address.bar import choose, open_screen, selection
from dashboard.address.screen import Screen, screens
from dashboard.asking import jobs
from dashboard.asking.refused import trying
from dashboard.database.connection import current
from dashboard.database.queries import answers, prompts
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Generation, Model
from dashboard.drawing import render
from dashboard.drawing.numbers import parameters

ALL = "all sizes"
KEY = "ask size"
_OF_PAGE = "size that the page showed"


def size_of_page(snapshot: Snapshot, screen: Screen) -> str:
    """What the selector says and what a screen shows: ALL, or the name of a model; '' where there is none.

    It is that of the answer that is chosen, of the database or a new one; on a screen of lists the size that is chosen,
    where it lists all of them until one is, ALL; without an answer that of the example.
    """
    chosen = selection()
    if not screen.of_answer and chosen.size:
        return chosen.size
    if screen.all_sizes:
        return ALL
    if chosen.job:
        job = jobs.news(chosen.job)
        return str(job.request.get("model", "")) if job else ""
    if not chosen.generation and chosen.size and not _from_documents(snapshot, screen):
        return chosen.size
    shown = answer_of_page(snapshot, screen)
    return shown.model.name if shown else chosen.size


def _from_documents(snapshot: Snapshot, screen: Screen) -> list[str]:
    """The answers that a screen of answers from documents can show, by generation_id; [] of any other."""
    known = prompts.answers_from_documents(snapshot) if screen.of_documents else []
    return [generation_id for generation_id, *_ in known]


def answer_of_page(snapshot: Snapshot, screen: Screen) -> Generation | None:
    """The answer that a screen of one shows: the chosen one if it can, else what it opens on."""
    chosen, known = selection().generation, _from_documents(snapshot, screen)
    chosen = chosen if chosen in known or not known else known[0]
    return answers.generation(snapshot, chosen) if chosen else answers.example(snapshot)


def model_of_page(snapshot: Snapshot, screen: Screen) -> Model | None:
    """The same as a model; the first where the page is of none; None in a database without models."""
    name, models = size_of_page(snapshot, screen), answers.models(snapshot)
    return next((each for each in models if each.name == name), next(iter(models), None))


def choose_size(models: Sequence[Model], screen: str, of_page: str) -> None:
    """of_page: the name of the model that the page shows, or ALL; it is chosen unless another one is while the page
    stays.

    Every rerun says so anew: a browser that missed the first one (it was cut short) would show the first of the
    options, and report it as what somebody chose."""
    by_name = {model.name: model for model in models}
    options = [*by_name, ALL] if len(by_name) > 1 else list(by_name)
    if of_page in options:
        stays = st.session_state.get(_OF_PAGE) == of_page
        st.session_state[_OF_PAGE] = of_page
        st.session_state[KEY] = st.session_state.get(KEY, of_page) if stays else of_page

    def named(name: str) -> str:
        if name == ALL:
            return f"All sizes · {', '.join(each.name for each in sizes_of(models, of_page))}"
        return f"{name} · {parameters(by_name[name].n_params)}"

    st.selectbox(
        "Size of this page",
        options,
        key=KEY,
        format_func=lambda name: render.option(named(name)),
        on_change=_show,
        args=(screen, (selection().generation, selection().job)),
        label_visibility="collapsed",
    )


def sizes_of(models: Sequence[Model], of_page: str) -> list[Model]:
    """All sizes: the models of one family that were trained on a corpus, not from one another; all of a family of
    fewer. The family is that of the model that the page shows, else the first."""
    family = next((each.family for each in models if each.name == of_page), models[0].family)
    of_family = [each for each in models if each.family == family]
    first = [each for each in of_family if not each.parent]
    return first if len(first) > 1 else of_family


def asked_sizes(models: Sequence[Model], of_page: str) -> list[str]:
    """The names of the models that a question goes to."""
    chosen = st.session_state.get(KEY, of_page)
    return [each.name for each in sizes_of(models, of_page)] if chosen == ALL else [chosen]


def next_size(step: int, screen: Screen) -> None:
    """For callbacks: to the answer of the next larger (+1) or smaller (−1) size."""
    snapshot = current()
    shown = answer_of_page(snapshot, screen)
    if shown is None or selection().job:
        return
    siblings = answers.generations_of(snapshot, [shown.prompt_id])[shown.prompt_id]
    ids = [each.generation_id for each in siblings]
    at = ids.index(shown.generation_id) + step
    if 0 <= at < len(ids):
        _switch(siblings[at])


def next_searched_size(step: int, of_page: str) -> None:
    """For callbacks on Corpus: documents as the next larger or smaller size sees them."""
    names = [model.name for model in answers.models(current())]
    at = (names.index(of_page) if of_page in names else 0) + step
    if 0 <= at < len(names):
        choose(size=names[at])


def _show(screen: str, drawn: tuple[str, str]) -> None:
    """The page in another size: its answer to the same prompt, which a new prompt is asked for; on a screen of lists,
    the lists of that size.    drawn: answer and job for which the selector was drawn; none before a screen chose one"""
    name = st.session_state[KEY]
    if any(drawn) and drawn != (selection().generation, selection().job):
        return  # a browser reports the selector of the page before once more
    if not screens()[screen].of_answer:
        choose(size="" if name == ALL else name)
    elif selection().job:
        _show_asked(screen, name)
    elif name == ALL:
        open_screen("compare")
    else:
        snapshot = current()
        shown = answer_of_page(snapshot, screens()[screen])
        siblings = answers.generations_of(snapshot, [shown.prompt_id])[shown.prompt_id] if shown else []
        _switch(next((each for each in siblings if each.model.name == name), None))
        if screens()[screen].all_sizes:
            open_screen("explain")


def _show_asked(screen: str, name: str) -> None:
    """Asked of that size, or of all."""
    job = jobs.news(selection().job)
    if job is None:
        return
    models = answers.models(current())
    of_page = str(job.request.get("model", ""))
    with trying():
        for each in [each.name for each in sizes_of(models, of_page)] if name == ALL else [name]:
            asked = jobs.in_size(job, each) or jobs.ask_size(job, each)
            if name != ALL:
                choose(job=asked.id)
        if name == ALL:
            open_screen("compare")
        elif screens()[screen].all_sizes:
            open_screen("explain")


def _switch(to: Generation | None) -> None:
    if to is not None:
        choose(generation=to.generation_id, span=selection().span)
