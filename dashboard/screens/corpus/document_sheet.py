"""The sheet of a document's page: every word, answer or token that it sways in any size; a text tried in its place."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dashboard.address.selection import Selection, address
from dashboard.asking import jobs
from dashboard.asking.what_if import what_if_in
from dashboard.database.method_names import method_name
from dashboard.database.queries import documents, influence, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.sets import set_unit
from dashboard.database.records import StoredDocument
from dashboard.database.unit import change_nats, unit_for
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.corpus.backwards import sizes, unit_of
from dashboard.screens.corpus.shaded import Shaded
from dashboard.screens.corpus.what_if_result import numbers_of

if TYPE_CHECKING:
    import pandas as pd


def document_sheet(
    snapshot: Snapshot, found: StoredDocument, selection: Selection, shade: Shaded | None = None
) -> Sheet:
    """By what is chosen on the page: words, whole answers or tokens; with the heat of its text, as it is shaded."""
    unit = unit_of(snapshot, selection)
    effects = sets.set_effects(snapshot, found.document_id)
    about: dict[str, Any] = {
        "document_id": found.document_id,
        "document": found.title,
        "source": found.source,
        "topic": found.topic,
        "text": found.text,
        "by": unit,
        "target_sets": [
            {
                "set": each.name,
                "model": each.model,
                "change_nats": change_nats(set_unit(snapshot, each), each.score),
                "influence_raw": each.score,
                "rank": each.rank,
                "of": each.n_documents,
            }
            for each in effects
        ],
    }
    if shade is not None and shade.values:
        about["heat"] = shade.about
    asked = jobs.news(selection.what_if) if selection.what_if else None
    made = what_if_in(snapshot, (asked.result if asked else None) or {})
    if made is not None:
        about["what_if"] = {
            "model": made.model,
            "prompt": made.prompt,
            "answer": made.answer,
            "text": made.given.text,
            "instead_of": made.before.text if made.before else "",
            "numbers": numbers_of(made, raw=True).to_dict("records"),
        }
    return Sheet(
        name=f"whence-document-{found.document_id}",
        title="Answers that a training document sways",
        table=partial(_table, snapshot, found, unit),
        address=address(selection),
        about=about,
    )


def _table(snapshot: Snapshot, found: StoredDocument, unit: str) -> pd.DataFrame:
    import pandas as pd  # late: the page comes without it

    document_id, title, source = found.document_id, found.title, found.source
    rows = [
        {
            "document_id": document_id,
            "title": title,
            "source": source,
            "model": model.name,
            "estimator": method_name(run.method),
            "run_id": run.run_id,
            "generation_id": each.generation_id,
            "prompt": each.prompt,
            "answer": each.answer,
            "by": unit,
            "text": each.token,
            "first_token": each.first,
            "last_token": each.last,
            "change_nats": change_nats(
                unit_for(influence.calibration(snapshot, run.run_id), each.logp, ()), each.score
            ),
            "influence_raw": each.score,
            "rank": each.rank,
            "of_scored": each.n_scored,
            "link": link_to(
                "explain",
                Selection(generation=each.generation_id, span=(each.first, each.last), document=document_id),
            ),
        }
        for model, run in sizes(snapshot)
        for each in documents.all_swayed(snapshot, run.run_id, document_id, unit)
    ]
    return pd.DataFrame(rows)
