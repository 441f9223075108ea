"""Runs: every prompt, and what each size wrote after it."""

import re
from collections.abc import Sequence

import streamlit as st

from dashboard import queries, render
from dashboard.address_bar import choose, open_screen, selection
from dashboard.database import current
from dashboard.figures import parameters
from dashboard.records import Generation, Model
from dashboard.selection import Selection

PER_PAGE = 30
MATCHES = {"prefix": "begins with", "literal": "is exactly", "regex": "matches the pattern"}
PLACES = {"answers": "in the answers", "documents": "in their ten best documents"}


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    models = queries.models(snapshot)
    _choose_filters(snapshot, models, chosen)

    # ask
    prompt_ids = queries.matching_prompts(
        snapshot,
        text=chosen.text,
        token=chosen.token,
        match=chosen.match if chosen.match in MATCHES else "prefix",
        within=chosen.within if chosen.within in PLACES else "answers",
        size=chosen.size,
        topic=chosen.topic,
        source=chosen.source,
    )
    n_pages = max(1, -(-len(prompt_ids) // PER_PAGE))
    page = min(chosen.page or 1, n_pages)
    found = queries.generations_of(snapshot, prompt_ids[(page - 1) * PER_PAGE : page * PER_PAGE])
    sources = queries.first_documents(snapshot, [each.generation_id for row in found.values() for each in row])

    # shape
    shown = [model for model in models if chosen.size in ("", model.name)]
    rows = [_row(generations, shown, sources, chosen) for generations in found.values() if generations]

    # show
    if not rows:
        _explain_empty(chosen)
        return
    st.caption(_count(len(prompt_ids), page, n_pages))
    sizes = [f"{model.name} · {parameters(model.n_params)}" for model in shown]
    render.prompt_table(rows, sizes, key="runs", on_generation=_open)
    if n_pages > 1:
        key = f"runs page {page} of {n_pages}"
        st.pagination(n_pages, default=page, key=key, on_change=lambda: choose(page=st.session_state[key]))


def _choose_filters(snapshot: queries.Snapshot, models: Sequence[Model], chosen: Selection) -> None:
    filters = {"text": "", "token": "", "match": "prefix", "within": "answers", "size": "", "topic": "", "source": ""}
    for name in filters:
        st.session_state[f"runs {name}"] = getattr(chosen, name)

    def changed(name: str) -> None:
        choose(**{name: st.session_state[f"runs {name}"] or filters[name]})

    def pick(name: str, label: str, options: Sequence[str], every: str) -> None:
        if chosen_value := getattr(chosen, name):
            options = [*options, *([] if chosen_value in options else [chosen_value])]
        st.selectbox(
            label,
            ["", *options],
            key=f"runs {name}",
            format_func=lambda value: render.option(value) if value else every,
            on_change=changed,
            args=(name,),
        )

    first, second, third = st.columns([3, 2, 2])
    with first:
        st.text_input(
            "Search", key="runs text", on_change=changed, args=("text",), placeholder="words of a prompt or an answer"
        )
    with second:
        pick("size", "Size", [model.name for model in models], "all sizes")
    with third:
        pick("topic", "Topic of the prompt", queries.prompt_topics(snapshot), "all topics")
    first, second, third, fourth = st.columns([2, 2, 2, 2])
    with first:
        st.text_input(
            "Filter by token", key="runs token", on_change=changed, args=("token",), placeholder="press / to come here"
        )
    with second:
        _pick_one("match", "A token that …", MATCHES, changed)
    with third:
        _pick_one("within", "Looked for", PLACES, changed)
    with fourth:
        pick("source", "Source of its best document", queries.document_sources(snapshot), "all sources")


def _pick_one(name: str, label: str, options: dict[str, str], changed: object) -> None:
    if st.session_state[f"runs {name}"] not in options:
        st.session_state[f"runs {name}"] = next(iter(options))
    st.selectbox(label, list(options), key=f"runs {name}", format_func=options.__getitem__, on_change=changed, args=(name,))


def _row(
    generations: Sequence[Generation],
    models: Sequence[Model],
    sources: dict[str, tuple[str, str]],
    chosen: Selection,
) -> render.PromptRow:
    by_model = {each.model.model_id: each for each in generations}
    answers: list[render.Answer | None] = []
    for model in models:
        each = by_model.get(model.model_id)
        if each is None:
            answers.append(None)
            continue
        _, title = sources.get(each.generation_id, ("", ""))
        marked = _marked(each.text, chosen) if chosen.within == "answers" else [(each.text, False)]
        answers.append(render.Answer(each.generation_id, model.name, marked, each.right, f"← {title}" if title else ""))
    return render.PromptRow(generations[0].prompt, generations[0].topic, answers)


def _marked(text: str, chosen: Selection) -> list[tuple[str, bool]]:
    """The answer with the words that the filter looks for marked; a pattern of DuckDB that Python cannot read marks none."""
    patterns = {
        "literal": rf"(?<!\w){re.escape(chosen.token.strip())}(?!\w)",
        "prefix": rf"(?i)(?<!\w){re.escape(chosen.token.strip())}\w*",
    }
    pattern = patterns.get(chosen.match, "")
    if not chosen.token.strip() or not pattern:
        return [(text, False)]
    pieces, at = [], 0
    for match in re.finditer(pattern, text):
        pieces += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def _count(n: int, page: int, n_pages: int) -> str:
    prompts = "1 prompt" if n == 1 else f"{n:,} prompts"
    where = f", page {page} of {n_pages}" if n_pages > 1 else ""
    return f"{prompts}{where}. ✓ and ✗ compare an answer with the one that the prompt file expects. Open one to explain it."


def _open(generation_id: str) -> None:
    open_screen("explain", generation=generation_id, span=(0, 0))


def _explain_empty(chosen: Selection) -> None:
    if any([chosen.text, chosen.token, chosen.size, chosen.topic, chosen.source]):
        render.problem("No answer passes these filters.")
        blank = {"text": "", "token": "", "size": "", "topic": "", "source": ""}
        st.button("Clear the filters", on_click=lambda: choose(**blank))
    else:
        render.problem("This database holds no answers yet.", ("command", "python -m indexer build CONFIG"))
