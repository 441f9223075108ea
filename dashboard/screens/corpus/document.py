"""A training document's own page: what it says, what it drove in each size, and how unusual it is."""

import numpy as np
import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.selection import Selection
from dashboard.database.connection import text_index
from dashboard.database.layer_groups import layer_groups
from dashboard.database.queries import answers, documents, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import AsTrained, Model, StoredDocument
from dashboard.drawing import render
from dashboard.drawing.document_text import by_texts, drawn, shown
from dashboard.drawing.numbers import counted, percent, plain
from dashboard.drawing.shapes import Card, Heated
from dashboard.drawing.visible import LONGEST_TEXT
from dashboard.screens.corpus.backwards import show_backwards, show_set_effects
from dashboard.screens.corpus.relabelled import show_relabelling
from dashboard.screens.corpus.shaded import Shaded, choose_heat, say_shaded
from dashboard.screens.corpus.what_if import show_what_if
from dashboard.widgets.as_trained import reading_keys, unread_notice
from dashboard.widgets.estimator import say_estimator
from dashboard.widgets.heading import panel
from dashboard.widgets.layer_bars import show_bars
from indexer.corpus.turns import is_pair
from indexer.search.text_index import query_terms

EACH = 3  # near duplicates
PASSAGE = 460  # characters of one
PAIR = (
    "It is a pair: training asked to prefer the chosen answer to the rejected one. Its influence is the sum over both; "
    "what pushes towards an answer in the rejected one does so by being avoided."
)
SIMILAR = 0.6  # share of the words in common, from which on two documents are near duplicates


def show_document(snapshot: Snapshot, found: StoredDocument, model: Model, selection: Selection, shade: Shaded) -> None:
    """The page of one document, seen through one size; shade: by what its tokens are shaded."""
    runs = answers.best_first(snapshot, model.model_id)
    run_id = runs[0].run_id if runs else ""
    plain = next((each.run_id for each in answers.runs(snapshot, model.model_id)), "")
    say_estimator(runs)
    _show_text(snapshot, found, model, selection, shade)
    _show_measures(snapshot, found, plain)
    show_relabelling(snapshot, found, plain)
    show_what_if(snapshot, model, found, selection)
    show_backwards(snapshot, found.document_id, selection)
    show_set_effects(snapshot, found.document_id)
    _show_layers(snapshot, found, model, run_id)
    _show_similar(snapshot, found)


def _show_text(snapshot: Snapshot, found: StoredDocument, model: Model, selection: Selection, of: Shaded) -> None:
    read = documents.as_read(snapshot, model.tokenizer_id, [found.document_id]).get(found.document_id)
    if of.values and read is None:
        text = by_texts(found, of.texts, of.values, of.high, LONGEST_TEXT)
    else:
        text = drawn(found, read, of.values or None, of.high, LONGEST_TEXT)
    where = " · ".join(part for part in (found.where, found.corpus) if part)
    card = Card(
        found.document_id,
        found.title,
        where,
        text.pieces,
        before=text.before,
        after=text.after,
        notice=unread_notice(text),
        unsigned=of.unsigned,
    )
    choose_heat(of)
    render.document_list(
        [card],
        key=f"document {found.document_id}",
        about="The document",
        selected=found.document_id,
        heat=of.legend,
        keys=reading_keys([card], [found]),
        on_document=lambda document_id: choose(document=document_id),
    )
    say_shaded(selection, of)
    read_so = documents.as_trained(snapshot, model.tokenizer_id, found.document_id)
    told = [_seen(found), PAIR if is_pair(found.turns) else _as_trained(read_so)]
    if any(told):
        render.prose(("note", " ".join(filter(None, told))))


def _seen(found: StoredDocument) -> str:
    if found.times == 1:
        return ""
    return f"It stands in the training files {found.times:,} times; its influence is that of all its copies."


def _as_trained(read: AsTrained | None) -> str:
    """What is not as usual: tokens that were read and not learned, beside the first of each window; windows."""
    if read is None:
        return ""
    said = []
    if read.n_tokens - read.n_learned > read.n_windows:
        said.append(
            f"Training asked for {read.n_learned:,} of its {read.n_tokens:,} tokens, the others were read only."
        )
    if read.n_windows > 1:
        said.append(f"It was read in {read.n_windows:,} windows, each alone; its influence is the sum over them.")
    return " ".join(said)


def _show_measures(snapshot: Snapshot, found: StoredDocument, run_id: str) -> None:
    measured = documents.self_influence(snapshot, run_id, found.document_id)
    if measured is None:
        return
    _, below, loss = measured
    panel("Self-influence", "How rare or surprising the document is to this size: not that it is wrong.")
    st.caption(
        f"More than {percent(below)} of the corpus: how far the model would move to fit this document better. Its loss "
        f"is {plain(loss)} nats."
    )


def _show_layers(snapshot: Snapshot, found: StoredDocument, model: Model, run_id: str) -> None:
    rows = documents.document_layers(snapshot, run_id, found.document_id)
    groups = layer_groups(influence.layers(snapshot, model.model_id))
    n_layers = sum(len(group.members) for group in groups)
    rows = [row for row in rows if len(row) == n_layers]
    if not rows or not groups:
        return
    panel("Layers", "Which weights its influence passes through: not where the model keeps what it says.")
    summed = f"Sum over {counted(len(rows), 'token')} for which it was kept"
    unit = "in percent of the sizes of all layers together: tokens of several answers have no one change of log p"
    render.prose(("note", f"{summed}, {unit}."))
    amounts = np.sum(np.asarray(rows, dtype=np.float64), axis=0)
    show_bars(groups, 100 * amounts / (np.abs(amounts).sum() or 1.0), key="layers of the document", unit="%")


def _show_similar(snapshot: Snapshot, found: StoredDocument) -> None:
    words = set(query_terms(found.text))
    hits = [hit.document_id for hit in text_index().search(found.text, 12) if hit.document_id != found.document_id]
    others = documents.documents(snapshot, hits)
    near = []
    for document_id in hits:
        if document_id in others:
            theirs = set(query_terms(others[document_id].text))
            shared = len(words & theirs) / max(len(words | theirs), 1)
            if shared >= SIMILAR:
                near.append((others[document_id], shared))
    if not near:
        return
    panel("Near duplicates", "Share of the words in common: not of the meaning.")
    render.document_list(
        [
            Card(
                each.document_id,
                each.title,
                each.source,
                text.pieces,
                percent(shared),
                "of the words",
                "strength",
                shared,
                after=text.after,
            )
            for each, shared in near[:EACH]
            for text in [shown([Heated(each.text)], PASSAGE)]
        ],
        key=f"similar {found.document_id}",
        about="Near duplicates",
        on_document=lambda document_id: choose(document=document_id),
    )
