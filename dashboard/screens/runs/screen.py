"""Runs: every prompt, and what each size wrote after it."""

import re
from collections.abc import Mapping, Sequence

import streamlit as st

from dashboard.address.bar import choose, open_screen, selection
from dashboard.address.choices import MATCHES, OWING_SIDES, PLACES
from dashboard.address.selection import UNFILTERED, Selection
from dashboard.database.connection import current
from dashboard.database.group_records import NO_VALUE, Owed, in_words, moved, named
from dashboard.database.prompt_turns import Turn
from dashboard.database.queries import answers, filters, groups, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Best, Generation, Model
from dashboard.database.unit import Calibration, slope_of, unit_for, without_slope
from dashboard.database.whole_words import python_pattern
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, parameters, signed
from dashboard.drawing.shapes import Answer, PromptRow
from dashboard.screens.runs.asked_here import show_asked
from dashboard.screens.runs.sheet import runs_sheet
from dashboard.widgets import controls
from dashboard.widgets.tools import show_tools

PER_PAGE = 30
READING = (
    "✓ and ✗ compare an answer with the one that the prompt file expects, which is not a proof of truth. "
    "← names the document that helps the whole answer most, among those that were scored for it. Open an answer to see "
    "why."
)
OWING = (
    "Answers come by what they owe to the chosen group: the influence of all of its documents together, with its "
    "place among the groups and the word that it moves most. An answer opens at that word."
)


def show() -> None:
    """Draw the screen for the selection of this rerun."""
    # choose
    snapshot, chosen = current(), selection()
    models = answers.models(snapshot)
    _choose_filters(snapshot, models, chosen)

    # ask
    prompt_ids = filters.matching_prompts(
        snapshot,
        text=chosen.text,
        token=chosen.token,
        match=chosen.match,
        within=chosen.within,
        size=chosen.size,
        family=chosen.family,
        topic=chosen.topic,
        source=chosen.source,
        owes=named(chosen.group) if chosen.group else None,
        side=chosen.tail,
    )
    n_pages = max(1, -(-len(prompt_ids) // PER_PAGE))
    page = min(chosen.page or 1, n_pages)
    found = answers.generations_of(snapshot, prompt_ids[(page - 1) * PER_PAGE : page * PER_PAGE])
    ids = [each.generation_id for row in found.values() for each in row]
    best, shares = influence.best_documents(snapshot, ids), answers.prompt_shares(snapshot, ids)
    turns = answers.turns_of(snapshot, list(found))
    debts = groups.owed(snapshot, *named(chosen.group), ids) if chosen.group else {}

    # shape
    shown = [m for m in models if chosen.size in ("", m.name) and chosen.family in ("", m.family)]
    run_ids = {each.run_id for each in best.values()} | {each.run_id for each in debts.values()}
    slopes = {each: influence.calibration(snapshot, each) for each in run_ids}
    rows = [
        _row(turns[prompt_id], of, shown, best, shares, debts, slopes, chosen) for prompt_id, of in found.items() if of
    ]

    # show
    show_asked(chosen.text)
    if not rows:
        _explain_empty(chosen)
        return
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(_count(len(prompt_ids), page, n_pages))
        show_tools(snapshot, runs_sheet(snapshot, prompt_ids, chosen), None)
    st.caption(READING)
    if chosen.group:
        st.caption(OWING)
    unknown = {best[each].run_id for each in best} - {run for run, of in slopes.items() if slope_of(of) is not None}
    if names := [of.name for of in shown if any(run.run_id in unknown for run in answers.runs(snapshot, of.model_id))]:
        render.prose(("note", without_slope(names)))
    sizes = [f"{model.name} · {parameters(model.n_params)}" for model in shown]
    render.prompt_table(rows, sizes, key="runs", on_generation=lambda each: _open(each, debts.get(each), chosen.tail))
    if n_pages > 1:
        key = f"runs page {page} of {n_pages}"
        st.pagination(n_pages, default=page, key=key, on_change=lambda: choose(page=st.session_state[key]))


def _choose_filters(snapshot: Snapshot, models: Sequence[Model], chosen: Selection) -> None:
    first, second, third, fourth = st.columns([2, 2, 2, 2])
    with first:
        controls.text_field("text")
    with second:
        controls.pick("family", filters.families(snapshot), "all families")
    with third:
        controls.pick("size", [model.name for model in models], "all sizes")
    with fourth:
        controls.pick("topic", filters.prompt_topics(snapshot), "all topics")
    first, second, third, fourth = st.columns([2, 2, 2, 2])
    with first:
        controls.text_field("token")
    with second:
        controls.one_of("match", MATCHES)
    with third:
        controls.one_of("within", PLACES)
    with fourth:
        controls.pick("source", filters.document_sources(snapshot), "best document from any source")
    offered = [each.key for each in groups.groups(snapshot)]
    if not offered and not chosen.group:
        return
    first, second = st.columns([4, 4], vertical_alignment="bottom")
    with first:
        controls.pick("group", offered, "any group of documents", in_words)
    with second:
        if chosen.group:
            controls.switch("tail", OWING_SIDES)


def _row(
    turns: list[Turn],
    generations: Sequence[Generation],
    models: Sequence[Model],
    best: Mapping[str, Best],
    shares: dict[str, float],
    debts: Mapping[str, Owed],
    slopes: Mapping[str, Calibration | None],
    chosen: Selection,
) -> PromptRow:
    by_model = {each.model.model_id: each for each in generations}
    answers: list[Answer | None] = []
    for model in models:
        each = by_model.get(model.model_id)
        if each is None:
            answers.append(None)
            continue
        source, known = _source(best.get(each.generation_id), slopes)
        marked = _marked(each.text, chosen) if chosen.within == "answers" else [(each.text, False)]
        share = shares.get(each.generation_id)
        owed = _owed(debts.get(each.generation_id), slopes, chosen)
        answers.append(Answer(each.generation_id, model.name, marked, each.right, source, known, share, owed))
    dates = [each.created_at for each in generations if each.created_at]
    about = " · ".join(part for part in (generations[0].topic, f"{max(dates):%d %b %Y}" if dates else "") if part)
    return PromptRow(generations[0].prompt_id, turns, about, answers)


def _source(best: Best | None, slopes: Mapping[str, Calibration | None]) -> tuple[str, str]:
    """The best document of an answer, what it does to it, and for how much of the answer that is known."""
    if best is None:
        return "", ""
    known = "" if best.n_tokens >= best.of_tokens else f"known for {best.n_tokens:,} of {best.of_tokens:,} tokens"
    amount = _nats(slopes.get(best.run_id), best.summed, best.logp)
    return f"← {best.title or 'untitled'}", ", ".join(filter(None, (amount, known)))


def _nats(calibration: Calibration | None, score: float, logp: float, error: float | None = None) -> str:
    """A change of log p; '' where it is not known how large it is."""
    unit = unit_for(calibration, logp, ())
    if unit.slope is None:
        return ""
    amount, apart = unit.shown(score), unit.half_width(score, error)
    places = decimals([amount])
    return f"{signed(amount, places)}{'' if apart is None else f' ± {apart:.{min(places, 6)}f}'} {unit.name}"


def _owed(owed: Owed | None, slopes: Mapping[str, Calibration | None], chosen: Selection) -> str:
    """What an answer owes to the chosen group, and the word that it moves most in that direction."""
    if owed is None:
        return ""
    _, value = named(chosen.group)
    slope = slopes.get(owed.run_id)
    word, amount, logp = moved(owed, chosen.tail)
    of_word = _nats(slope, amount, logp)
    most = f", most on “{word.strip()}”{f' ({of_word})' if of_word else ''}" if word.strip() else ""
    of_answer = _nats(slope, owed.score, owed.logp, owed.error)
    place = f"{owed.rank:,} of {owed.n_groups:,}"
    return f"{' '.join(filter(None, (value or NO_VALUE, of_answer)))}, {place}{most}"


def _marked(text: str, chosen: Selection) -> list[tuple[str, bool]]:
    """The answer with the words that the filter looks for marked; a pattern, which is DuckDB's to read, marks none."""
    if not chosen.token.strip() or chosen.match == "regex":
        return [(text, False)]
    literal = rf"(?<!\w){re.escape(chosen.token.strip())}(?!\w)"
    pattern = literal if chosen.match == "literal" else python_pattern(chosen.token, chosen.match)
    pieces, at = [], 0
    for match in re.finditer(pattern, text):
        pieces += [(text[at : match.start()], False), (match[0], True)]
        at = match.end()
    return [piece for piece in [*pieces, (text[at:], False)] if piece[0]]


def _count(n: int, page: int, n_pages: int) -> str:
    prompts = "1 prompt" if n == 1 else f"{n:,} prompts"
    return f"{prompts}, page {page} of {n_pages}." if n_pages > 1 else f"{prompts}."


def _open(generation_id: str, owed: Owed | None, side: str) -> None:
    span = (0, 0)
    if owed is not None:
        hurt = moved(owed, side)[1] == owed.hurt_score
        span = (owed.hurt_first, owed.hurt_last) if hurt else (owed.helped_first, owed.helped_last)
    open_screen("explain", generation=generation_id, span=span)


def _explain_empty(chosen: Selection) -> None:
    if any(getattr(chosen, name) for name in UNFILTERED):
        render.problem("No answer passes these filters.")
        st.button("Clear the filters", on_click=lambda: choose(**UNFILTERED))
    else:
        render.problem("This database holds no answers yet.", ("command", "python -m indexer build CONFIG"))
