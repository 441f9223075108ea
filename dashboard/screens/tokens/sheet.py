"""The sheet of a word: one row per document and size, the most helpful of a size first."""

from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.method_names import method_name
from dashboard.database.queries import documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.written import words
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.tokens.view import View


def tokens_sheet(snapshot: Snapshot, found: View, selection: Selection) -> Sheet:
    """Every document with a kept score; sizes, groups and training texts beside them."""
    about = {
        "word": found.token,
        "looked_for_as": found.match,
        "sizes": [
            {
                "model": each.model.name,
                "answers": each.n_answers,
                "times": each.n_times,
                "places_explained": len(each.places),
                "mean_probability": each.probability,
                f"groups_by_{found.column}_raw": {group.value: group.score for group in each.groups},
            }
            for each in found.sizes
        ],
        "training_texts": [dict(vars(each)) for each in found.texts],
    }
    return Sheet(
        name="whence-token",
        title="Training documents of one word, over all answers with it",
        table=partial(_table, snapshot, found),
        address=address(selection),
        about=about,
    )


def _table(snapshot: Snapshot, found: View) -> pd.DataFrame:
    drivers = {
        size.model.name: words.all_drivers(snapshot, size.model.model_id, size.run.run_id, found.token, found.unit)
        for size in found.sizes
        if size.run
    }
    ids = {each.document_id for of in drivers.values() for each in of}
    texts = documents.documents(snapshot, sorted(ids))
    rows = []
    for size in found.sizes:
        for rank, each in enumerate(drivers.get(size.model.name, ()), start=1):
            document = texts.get(each.document_id)
            rows.append(
                {
                    "word": found.token,
                    "model": size.model.name,
                    "rank": rank,
                    "document_id": each.document_id,
                    "title": document.title if document else "",
                    "source": document.source if document else "",
                    "topic": document.topic if document else "",
                    "text": document.text if document else "",
                    "influence_raw": each.score,
                    "known_for_places": each.n_places,
                    "places": len(size.places),
                    "estimator": method_name(size.run.method) if size.run else "",
                    "run_id": size.run.run_id if size.run else "",
                    "link": link_to("corpus", Selection(document=each.document_id)),
                }
            )
    return pd.DataFrame(rows)
