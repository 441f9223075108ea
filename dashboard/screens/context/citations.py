"""Citations by sentence, and what each method says that the answer owes to each document."""

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from attribution.prompt.context.method_names import short_name
from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.drawing import render
from dashboard.drawing.numbers import counted, percent, plain
from dashboard.drawing.shapes import CitedLine
from dashboard.screens.context.agreement import agreements
from dashboard.screens.context.answer import share_of, span_in
from dashboard.screens.context.by_sentence import cited_sentences
from dashboard.screens.context.citing import Citation
from dashboard.screens.context.evidence import Reading
from dashboard.screens.context.sentences import sentences
from dashboard.widgets.heading import panel

Owed = Mapping[str, Sequence[Citation]]  # by method


def show_citations(reading: Reading, live: Sequence[Citation], owed: Owed, chosen: Selection) -> None:
    """Each sentence with the documents that it rests on; a click goes to the document and to the sentence's tokens."""
    panel("Citations", "Which documents each sentence was read from: not a proof that it is true.")
    names = reading.names
    lines = [
        CitedLine(
            each.text,
            [(one.part, names.get(one.part, "?"), percent(one.share)) for one in each.cited],
            [
                (one.part, names.get(one.part, "?"), f"by {short_name(by)}" if by else percent(one.share))
                for one, by in each.others
            ],
        )
        for each in cited_sentences(sentences(reading.generation.text), live, owed)
    ]

    def clicked(sentence: int, part: int) -> None:
        inside = reading.positions_of(sentence)
        span = (inside[0], inside[-1]) if inside else None
        again = chosen.part == part and chosen.span == span
        choose(part=None, span=None) if again else choose(part=part, span=span)

    render.citation_list(lines, key=f"citations {reading.generation.generation_id}", part=chosen.part, on_click=clicked)


def show_agreement(reading: Reading, chosen: Selection, live: Sequence[Citation], by_sentence: Owed) -> None:
    """What the answer, or the chosen span of it, owes to each document by each method; all from stored rows."""
    span = span_in(chosen.span, len(reading.tokens))
    owed = reading.owed(span)
    if not owed:
        return
    panel("Methods beside each other", "Agreement is a sign: not a proof, for methods can be wrong together.")
    if span is None:
        st.caption("What the whole answer loses without a document, in nats; MIRAGE is a share of cues.")
    else:
        st.caption("What the chosen words lose without a document, in nats; MIRAGE is a share of cues.")
    rows = []
    for part in reading.documents:
        row: dict[str, object] = {"Document": reading.names[part.part]}
        row["MIRAGE, share"] = round(share_of(live, part.part), 3)
        for name, scores in owed.items():
            row[short_name(name)] = round(scores[part.part], 3)
        rows.append(row)
    render.table(pd.DataFrame(rows))
    columns = {"MIRAGE": live} | {short_name(name): found for name, found in by_sentence.items()}
    render.prose(
        *[
            ("note", [(f"{each.one} and {each.other}", "strong"),
                      (f": the same first document for {percent(each.first_in_common)} of "
                       f"{counted(each.n_sentences, 'sentence')} that both cite for, rank correlation "
                      f"{plain(each.correlation, 2)}", "")])
            for each in agreements(columns, [part.part for part in reading.documents])
        ]
    )  # fmt: skip
