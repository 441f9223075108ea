"""The sheet of Corpus: the documents of the list, in its order, many more than a page of it."""

import math
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.connection import text_index
from dashboard.database.method_names import method_name
from dashboard.database.queries import answers, cleaning, documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model, Suspect
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.corpus.listed import Listed
from indexer.search.text_index import TextIndex

ABOUT = ("document_id", "title", "source", "topic", "text")
MOST = 5_000  # documents of a list
RAW = ("self_influence", "harm", "gain", "score")  # as they are stored; the page calibrates them
UNITS = {"loss": "loss_nats"} | {name: f"{name}_raw" for name in RAW}


def corpus_sheet(snapshot: Snapshot, page: Listed, model: Model | None, selection: Selection) -> Sheet:
    """The first documents of the whole list that `page` is a part of: what a search finds, or the most influential with
    what they carry of words (or of tokens)."""
    about = {"search": selection.search} if selection.search else {}
    if page.by:
        about |= {"by": page.by, "model": model.name if model else "", "run_id": page.run_id}
    index = text_index() if selection.search.strip() else None
    return Sheet(
        name="whence-corpus",
        title="Training documents",
        table=partial(_table, snapshot, page, model, selection, index),
        address=address(selection),
        about=about,
    )


def _table(
    snapshot: Snapshot, page: Listed, model: Model | None, of: Selection, index: TextIndex | None
) -> pd.DataFrame:
    carried: dict[str, documents.Influential] = {}
    if index is not None:
        texts = partial(documents.texts, snapshot)
        ids = [hit.document_id for hit in index.find(of.search, 0, MOST, of.source, of.topic, texts).hits]
    elif page.by:
        rows = documents.most_influential(snapshot, page.run_id, of.source, of.topic, 0, MOST)
        carried = {each.document_id: each for each in rows}
        ids = list(carried)
    else:
        ids = documents.some_documents(snapshot, of.source, of.topic, 0, MOST)
    found = documents.documents(snapshot, ids)
    method = _method(snapshot, model, page.run_id)
    made = []
    for rank, document_id in enumerate((each for each in ids if each in found), start=1):
        row = {"rank": rank} | {name: getattr(found[document_id], name) for name in ABOUT}
        if each := carried.get(document_id):
            row |= {
                f"among_the_ten_best_of_{page.by}s": each.n_top10,
                "in_answers": each.n_top10_answers,
                "mean_share_of_the_ten": math.nan if each.share is None else each.share,
                "model": model.name if model else "",
                "estimator": method,
                "run_id": page.run_id,
            }
        made.append(row | {"link": _link(document_id)})
    return pd.DataFrame(made, columns=None if made else ["rank", *ABOUT, "link"])


def _method(snapshot: Snapshot, model: Model | None, run_id: str) -> str:
    runs = answers.runs(snapshot, model.model_id) if model else []
    return next((method_name(each.method) for each in runs if each.run_id == run_id), "")


def _link(document_id: str) -> str:
    return link_to("corpus", Selection(document=document_id))


def suspects_sheet(snapshot: Snapshot, run_id: str, model: Model, target_set: str, selection: Selection) -> Sheet:
    """The first documents of the chosen order, the worst first, with all that is known against them."""
    about = {"order": selection.order, "model": model.name, "run_id": run_id, "target_set": target_set}
    return Sheet(
        name=f"whence-corpus-{selection.order}-{model.name}",
        title="Training documents to look at again",
        table=partial(_suspects, snapshot, run_id, model, target_set, selection),
        address=address(selection),
        about=about,
    )


def _suspects(snapshot: Snapshot, run_id: str, model: Model, target_set: str, of: Selection) -> pd.DataFrame:
    ids = cleaning.ranked(snapshot, run_id, of.order, target_set, of.source, of.topic, 0, MOST)
    known, found = cleaning.suspects(snapshot, run_id, target_set, ids), documents.documents(snapshot, ids)
    words = ("said", "instead", "probability", "token_position", "generation_id", "position")
    method = _method(snapshot, model, run_id)
    rows = []
    for rank, document_id in enumerate(ids, start=1):
        each, document = known.get(document_id, Suspect(document_id)), found[document_id]
        about = {name: getattr(document, name) for name in ABOUT}
        amounts = {UNITS[name]: getattr(each, name) for name in UNITS}
        of_run = {"target_set": target_set, "model": model.name, "estimator": method, "run_id": run_id}
        of_run["link"] = _link(document_id)
        rows.append({"rank": rank, **about, **amounts, **{name: getattr(each, name) for name in words}, **of_run})
    columns = ["rank", *ABOUT, *UNITS.values(), *words, "target_set", "model", "estimator", "run_id", "link"]
    return pd.DataFrame(rows, columns=columns)
