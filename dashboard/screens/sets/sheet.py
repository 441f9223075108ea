"""The sheet of Sets: all documents of a set that were scored exactly, best first; groups, curve and texts beside it."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dashboard.address.selection import Selection, address
from dashboard.database.method_names import method_name
from dashboard.database.queries import documents, influence, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.unit import change_nats
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.sets.view import View

if TYPE_CHECKING:
    import pandas as pd


def sets_sheet(snapshot: Snapshot, found: View, selection: Selection) -> Sheet:
    """The set in the chosen size."""
    target = found.target
    about = {
        "set": target.name,
        "against": target.against,
        "model": target.model,
        "run_id": target.run_id,
        "mean_logp_nats": target.value,
        "texts": target.n_texts,
        "documents_estimated": target.n_documents,
        "documents_scored_exactly": target.n_scored,
        "rank_correlation_of_estimates": target.rank_correlation,
        "error_of_estimates_raw": target.estimate_error,
        "unit": found.unit.meaning,
        "groups": [dict(vars(each)) | {"change_nats": change_nats(found.unit, each.score)} for each in found.groups],
        "curves": {each.model: [dict(vars(point)) for point in points] for each, points in found.curves},
        "prompts": [dict(vars(each)) for each in sets.set_texts(snapshot, target.name)],
    }
    return Sheet(
        name=f"whence-set-{target.name}-{target.model}",
        title="Training documents of a target set",
        table=partial(_table, snapshot, found),
        address=address(selection),
        about=about,
    )


def _table(snapshot: Snapshot, found: View) -> pd.DataFrame:
    import pandas as pd  # late: the page comes without it

    target = found.target
    names = [layer.name for layer in influence.layers(snapshot, found.model.model_id)]
    scores = sorted(sets.set_scores(snapshot, target.run_id, target.name, "both"), key=lambda each: each.rank)
    texts = documents.documents(snapshot, [each.document_id for each in scores])
    return pd.DataFrame(
        [
            {
                "rank": each.rank,
                "document_id": each.document_id,
                "change_nats": change_nats(found.unit, each.score),
                "influence_raw": each.score,
                "estimate_raw": each.estimate,
                "title": texts[each.document_id].title if each.document_id in texts else "",
                "source": texts[each.document_id].source if each.document_id in texts else "",
                "topic": texts[each.document_id].topic if each.document_id in texts else "",
                "text": texts[each.document_id].text if each.document_id in texts else "",
                "layer_names": names,
                "layer_scores": each.layer_scores,
                "set": target.name,
                "model": target.model,
                "estimator": next((method_name(r.method) for r in found.runs if r.run_id == target.run_id), ""),
                "run_id": target.run_id,
                "link": link_to("corpus", Selection(document=each.document_id)),
            }
            for each in scores
        ]
    )
