"""The sheet of Corpus: the documents of the list, in its order; of an order of cleaning many more than a page."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.queries import cleaning, documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Model, StoredDocument, Suspect
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet

ABOUT = ("document_id", "title", "source", "topic", "text")
MOST = 5_000  # documents of an order
RAW = ("self_influence", "harm", "gain", "score")  # as they are stored; the page calibrates them
UNITS = {"loss": "loss_nats"} | {name: f"{name}_raw" for name in RAW}


def corpus_sheet(found: Sequence[StoredDocument], facts: Mapping[str, str], selection: Selection) -> Sheet:
    """`facts`: by document, in how many answers it is among the ten best."""
    return Sheet(
        name="whence-corpus",
        title="Training documents",
        table=partial(_table, list(found), dict(facts)),
        address=address(selection),
        about={"search": selection.search} if selection.search else {},
    )


def _table(found: list[StoredDocument], facts: dict[str, str]) -> pd.DataFrame:
    rows = [
        {name: getattr(each, name) for name in ABOUT}
        | {"among_the_ten_best_of": facts.get(each.document_id, ""), "link": _link(each.document_id)}
        for each in found
    ]
    return pd.DataFrame(rows, columns=[*ABOUT, "among_the_ten_best_of", "link"])


def _link(document_id: str) -> str:
    return link_to("corpus", Selection(document=document_id))


def suspects_sheet(snapshot: Snapshot, run_id: str, model: Model, target_set: str, selection: Selection) -> Sheet:
    """The first documents of the chosen order, the worst first, with all that is known against them."""
    about = {"order": selection.order, "model": model.name, "run_id": run_id, "target_set": target_set}
    return Sheet(
        name=f"whence-corpus-{selection.order}-{model.name}",
        title="Training documents to look at again",
        table=partial(_suspects, snapshot, run_id, target_set, selection),
        address=address(selection),
        about=about,
    )


def _suspects(snapshot: Snapshot, run_id: str, target_set: str, of: Selection) -> pd.DataFrame:
    ids = cleaning.ranked(snapshot, run_id, of.order, target_set, of.source, of.topic, 0, MOST)
    known, found = cleaning.suspects(snapshot, run_id, target_set, ids), documents.documents(snapshot, ids)
    words = ("said", "instead", "probability", "token_position", "generation_id", "position")
    rows = []
    for rank, document_id in enumerate(ids, start=1):
        each, document = known.get(document_id, Suspect(document_id)), found[document_id]
        about = {name: getattr(document, name) for name in ABOUT}
        amounts = {UNITS[name]: getattr(each, name) for name in UNITS}
        of_run = {"target_set": target_set, "run_id": run_id, "link": _link(document_id)}
        rows.append({"rank": rank, **about, **amounts, **{name: getattr(each, name) for name in words}, **of_run})
    columns = ["rank", *ABOUT, *UNITS.values(), *words, "target_set", "run_id", "link"]
    return pd.DataFrame(rows, columns=columns)
