"""The only file where text from outside meets the page: corpus, prompts, answers, names, messages with either in them.

Streamlit's markdown, labels, tables and HTML interpret or fetch what stands in the text; a test forbids them for
anything but literals elsewhere. Here text goes through `visible` and then into a component (textContent), into
`st.dataframe` text cells, or into a label with every markup character escaped.
"""

from __future__ import annotations

import hashlib
import html
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from dashboard.address.bar import still
from dashboard.database.prompt_turns import DOCUMENTS
from dashboard.drawing.component import component, known_event, last_event
from dashboard.drawing.numbers import missing, plain
from dashboard.drawing.payload import (
    card_data,
    joined_row_data,
    line_data,
    prompt_row_data,
    size_token_data,
    strip_token_data,
)
from dashboard.drawing.shapes import (
    Bar,
    Card,
    Chart,
    CitedLine,
    JoinedRow,
    Legend,
    Piece,
    PromptRow,
    Share,
    SizeRow,
    StripToken,
)
from dashboard.drawing.visible import LONGEST_TEXT, cut, visible, visible_token

if TYPE_CHECKING:
    import pandas as pd

COLD = 0.015  # of full colour: what is drawn without any
LONGEST_CHOSEN = 160  # characters that are repeated of what is chosen
LONGEST_ALT = 600  # characters that are read aloud of a chart
WHOLE = 12  # rows of a chart's numbers that are shown without a scroll bar of their own
_DRAWN = "drawn in this rerun"
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#+\-.!|~$:&@^=\"'/])")


def label(text: object) -> str:
    """Text from outside as a label of a widget: literally, on one line, at most 80 characters."""
    shown = visible(str(text)[:80]).replace("\n", " ")
    return _MARKUP.sub(r"\\\1", shown)


def option(text: object) -> str:
    """Text from outside as an option of a select box, which shows it as plain text."""
    return visible(str(text)[:120]).replace("\n", " ")


def markup(text: object) -> str:
    """Text from outside inside a file of HTML: visible, and with every character of markup escaped."""
    return html.escape(visible(str(text)[:LONGEST_TEXT]), quote=True)


def copy_link() -> None:
    """A button that copies the address of this view."""
    component("copy_link")(key="copy link", width="content")


def editor(given: str, *, key: str) -> None:
    """A field with a text from outside that may be changed; the session keeps it under `key`. A field interprets
    nothing, and shows the text as it is: made visible, it would come back as another one."""
    st.text_area("Text", given, key=key, height=180, placeholder="What the model might have read in training")


def prose(*blocks: tuple[str, Sequence[Piece] | str]) -> None:
    """Paragraphs: (kind, text or pieces); kinds: quote, title, note, fact, problem, command."""
    shown = []
    for kind, content in blocks:
        pieces = [(content, "")] if isinstance(content, str) else content
        shown.append({"kind": kind, "pieces": [(cut(text)[0], style) for text, style in pieces]})
    if shown:
        component("prose")(data={"blocks": shown}, key=_key_of("prose", str(shown)))


def turns(said: Sequence[tuple[str, str]]) -> None:
    """A prompt as what is said in it: (role or '', words), a paragraph each."""
    prose(
        *[
            ("note", [(words, "")])
            if role == DOCUMENTS
            else ("quote", [*([(role, "role"), (" ", "")] if role else []), (words, "")])
            for role, words in said
        ]
    )


def problem(message: str, *more: tuple[str, str]) -> None:
    """A message that may quote what was given, and what to do about it."""
    prose(("problem", message), *more)


def token_strip(
    prompt: Sequence[StripToken],
    answer: Sequence[StripToken],
    *,
    key: str,
    span: tuple[int, int] | None,
    legends: Sequence[Legend],
    hint: str,
    words: Sequence[tuple[int, int]] = (),
    chosen: str = "",
    steps: Sequence[str] = (),
    underlined: str = "",
    on_span: Callable[[tuple[int, int] | None], None],
) -> None:
    """The clickable answer; `on_span` hears which tokens were chosen, None for the whole answer.

    words: first and last tokens of what one click takes; the next takes a token inside it   chosen, of our own: what is
    said of the tokens of `span`, or of the whole answer   steps: the first ones, until they are dismissed   underlined:
    what an underline means, of our own
    """

    def changed() -> None:
        event = last_event(key, "span")
        first, last = event.get("first"), event.get("last")
        if isinstance(first, int) and isinstance(last, int) and 0 <= first <= last < len(answer):
            on_span((first, last))
        else:
            on_span(None)

    first, last = span or (None, None)
    data = {
        "prompt": [strip_token_data(token) for token in prompt],
        "answer": [
            strip_token_data(token)
            | {"name": f"token {i + 1} of {len(answer)}: {visible_token(token.text)}, {token.words}"}
            for i, token in enumerate(answer)
        ],
        "first": first,
        "last": last,
        "seen": last_event(key, "span").get("at", 0),
        "legends": [asdict(each) for each in legends],
        "hint": hint,
        "words": [list(word) for word in words],
        "chosen": _chosen_data(answer, span, chosen),
        "steps": list(steps),
        "underlined": underlined if any(token.copied for token in answer) else "",
        "unknown": any(token.unknown for token in [*prompt, *answer]),
        "label": "Words of the answer; arrow keys move, Shift extends, Enter goes from a word to its tokens, Escape "
        "takes the whole answer"
        if words
        else "Tokens of the answer; arrow keys move, Shift extends, Escape clears",
    }
    component("token_strip")(data=data, key=key, on_span_change=still(changed))


def _chosen_data(answer: Sequence[StripToken], span: tuple[int, int] | None, words: str) -> dict[str, str]:
    """The chosen tokens and what is said of them: of one token what is said where it is pointed at."""
    if span is None and not words:
        return {"text": "", "note": ""}
    of = answer if span is None else answer[span[0] : span[1] + 1]
    text = cut("".join(token.text for token in of).strip(), LONGEST_CHOSEN)
    said = words or (of[0].words if len(of) == 1 else f"{len(of):,} tokens")
    return {"text": f"{text[0]}{'…' if text[1] else ''}" or "end of text", "note": said}


def document_list(
    cards: Sequence[Card],
    *,
    key: str,
    about: str,
    selected: str = "",
    diverging: bool = False,
    heat: Legend | None = None,
    keys: Sequence[str] = (),
    unheated: str = "",
    on_document: Callable[[str], None],
    on_page: Callable[[str], None] | None = None,
) -> None:
    """Documents as cards; `on_document` hears which is chosen ('' for none), `on_page` which is to be opened.

    keys: what the looks of the text mean, of our own; unheated: the same of a card without amounts.
    """
    known = {card.document_id for card in cards}

    def chosen() -> None:
        on_document(known_event(key, "document", known) or "")

    def opened() -> None:
        document_id = known_event(key, "page", known)
        if on_page is not None and document_id is not None:
            on_page(document_id)

    data = {
        "items": [card_data(card, heat) for card in cards],
        "selected": selected,
        "diverging": diverging,
        "heat": asdict(heat) if heat else None,
        "keys": list(keys),
        "unheated": unheated if any(card.unheated for card in cards) else "",
        "cold": f"less than {plain(COLD * heat.top)} {heat.unit} either way" if heat and heat.signed else "",
        "pages": on_page is not None,
        "label": about,
    }
    component("document_list")(data=data, key=key, on_document_change=still(chosen), on_page_change=still(opened))


def citation_list(
    lines: Sequence[CitedLine], *, key: str, part: int | None, on_click: Callable[[int, int], None]
) -> None:
    """Sentences with their citations; `on_click` hears (sentence, part)."""
    known = {(i, part) for i, line in enumerate(lines) for part, *_ in line.cited + line.others}

    def clicked() -> None:
        event = last_event(key, "citation")
        place = (event.get("sentence"), event.get("part"))
        if place in known:
            on_click(*place)

    data = {"label": "Sentences and their citations", "part": part, "sentences": [line_data(line) for line in lines]}
    component("citation_list")(data=data, key=key, on_citation_change=still(clicked))


def prompt_table(
    rows: Sequence[PromptRow],
    *,
    key: str,
    arranged: tuple[str, bool] | None = None,
    on_generation: Callable[[str], None],
    on_column: Callable[[str], None] | None = None,
) -> None:
    """Prompts by sizes, with a new line of names where the sizes change; `on_generation` hears which answer is to be
    explained, `on_column` by which size the rows are to come, '' for the prompts.

    arranged: the column that they come by, and whether its last is first; None: by none of them
    """
    known = {answer.generation_id for row in rows for answer in row.answers if answer}
    columns = {"", *(column.name for row in rows for column in row.columns)}

    def chosen() -> None:
        generation_id = known_event(key, "generation", known)
        if generation_id is not None:
            on_generation(generation_id)

    def sorted_by() -> None:
        name = known_event(key, "column", columns)
        if on_column is not None and name is not None:
            on_column(name)

    data = {
        "label": "Prompts and the answer of each size",
        "rows": [prompt_row_data(row) for row in rows],
        "arranged": {"name": arranged[0], "turned": arranged[1]} if arranged else None,
        "sortable": on_column is not None,
    }
    component("prompt_table")(data=data, key=key, on_generation_change=still(chosen), on_column_change=still(sorted_by))


def size_grid(
    rows: Sequence[SizeRow], *, key: str, column: int, marker: str, what: str, on_cell: Callable[[int, int], None]
) -> None:
    """Sizes by words or tokens; `on_cell` hears (row, column) of the cell that was chosen. what: has a probability."""

    def chosen() -> None:
        event = last_event(key, "cell")
        row, place = event.get("row"), event.get("column")
        if (
            isinstance(row, int)
            and isinstance(place, int)
            and 0 <= row < len(rows)
            and 0 <= place < len(rows[row].tokens)
        ):
            on_cell(row, place)

    data = {
        "label": "Answers of each size",
        "column": column,
        "marker": marker,
        "what": what,
        "rows": [
            {
                "size": visible_token(row.size),
                "colour": row.colour,
                "about": row.about,
                "tokens": [size_token_data(token, row.size) for token in row.tokens],
            }
            for row in rows
        ],
    }
    component("size_grid")(data=data, key=key, on_cell_change=still(chosen))


def join_table(
    rows: Sequence[JoinedRow], sizes: Mapping[str, str], *, key: str, on_document: Callable[[str], None]
) -> None:
    """Documents by sizes (name -> colour); `on_document` hears which is to be opened."""
    known = {row.document.document_id for row in rows}

    def chosen() -> None:
        document_id = known_event(key, "document", known)
        if document_id is not None:
            on_document(document_id)

    data = {
        "label": "Documents of all sizes, joined",
        "sizes": [visible_token(size) for size in sizes],
        "colours": list(sizes.values()),
        "rows": [joined_row_data(row) for row in rows],
    }
    component("join_table")(data=data, key=key, on_document_change=still(chosen))


def bar_list(
    bars: Sequence[Bar],
    *,
    key: str,
    about: str,
    legend: Sequence[tuple[str, str]],
    chosen: str = "",
    unsigned: bool = False,
    on_bar: Callable[[str], None] | None = None,
) -> None:
    """Bars with their numbers; legend: (hue or '', words); `on_bar` hears the key of the bar that was clicked."""
    known = {each.key for bar in bars for each in (bar, *bar.parts)}

    def drawn(bar: Bar) -> dict[str, Any]:
        return asdict(bar) | {"name": visible_token(bar.name), "parts": [drawn(part) for part in bar.parts]}

    def clicked() -> None:
        found = known_event(key, "bar", known, "key")
        if on_bar is not None and found is not None:
            on_bar(found)

    data = {
        "label": visible(about),
        "bars": [drawn(bar) for bar in bars],
        "legend": [{"hue": hue, "text": text} for hue, text in legend],
        "chosen": chosen,
        "unsigned": unsigned,
        "clickable": on_bar is not None,
    }
    component("bar_list")(data=data, key=key, on_bar_change=still(clicked))


def bit_stack(parts: Sequence[Share], *, key: str, about: str, whole: str) -> None:
    """One bar of bits, in parts that follow each other."""
    data = {"label": about, "unit": "bits", "whole": whole, "parts": [asdict(part) for part in parts]}
    component("bit_stack")(data=data, key=key)


def table(frame: pd.DataFrame, *, key: str | None = None, height: int | Literal["content", "auto"] = "auto") -> None:
    """A data frame whose text columns are text cells: no links, no images, no markup. What is missing is a dash."""
    from pandas.api.types import is_integer_dtype, is_numeric_dtype  # late: the first page comes without it

    shown = frame.copy()
    for name in shown.columns:
        if not is_numeric_dtype(shown[name]):
            shown[name] = [None if missing(value) else visible(str(value)[:2000]) for value in shown[name]]
    formats = {
        str(name): st.column_config.NumberColumn(format="localized" if is_integer_dtype(kind) else "%.4g")
        for name, kind in shown.dtypes.items()
        if is_numeric_dtype(kind)
    }
    st.dataframe(
        shown, hide_index=True, width="stretch", key=key, column_config=formats, height=height, placeholder="–"
    )


def chart(shown: Chart, *, key: str, on_point: Callable[[str], None] | None = None) -> str:
    """A plotly figure with its words and, on demand, its numbers; returns the key of the point that is selected.

    on_point hears that key ('' where the selection is lifted) when it changes; a key that the figure does not hold is
    none. The labels in the figure are `visible.in_chart`'s.
    """
    from dashboard.drawing.figure import CONFIG  # late: the first page comes without plotly

    known = {str(point[0]) for trace in shown.figure.data for point in trace.customdata or ()}

    def selected() -> str:
        state = st.session_state.get(key) or {}
        points = state.get("selection", {}).get("points", []) if hasattr(state, "get") else []
        given = (points[0].get("customdata") or [""]) if points else [""]
        found = given[0] if isinstance(given, list) else given.get("0", "")
        return found if found in known else ""

    def changed() -> None:
        if on_point is not None:
            on_point(selected())

    st.plotly_chart(
        shown.figure,
        width="stretch",
        key=key,
        config=CONFIG,
        alt=visible(shown.words)[:LONGEST_ALT],
        on_select=still(changed) if known else "ignore",
        selection_mode="points",
    )
    if shown.rows:
        with st.expander("The numbers of this chart"):
            table(_frame(shown.rows), height="content" if len(shown.rows) <= WHOLE else "auto")
    return selected()


def _frame(rows: Sequence[dict[str, object]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(list(rows))


def begin() -> None:
    """Once a rerun, before anything is drawn: the same paragraph may be drawn again, and twice."""
    st.session_state[_DRAWN] = Counter()


def _key_of(kind: str, content: str) -> str:
    """A key for what is drawn without one: by content, and by how often this rerun drew the same."""
    drawn: Counter[str] = st.session_state.setdefault(_DRAWN, Counter())
    key = f"{kind} {hashlib.sha256(content.encode()).hexdigest()[:16]}"
    drawn[key] += 1
    return f"{key} {drawn[key]}"
