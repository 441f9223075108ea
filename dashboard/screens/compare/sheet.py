"""The sheet of Compare: one row per document and size, for one word (or token, or answer) of one prompt."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.method_names import method_name
from dashboard.database.queries import documents, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.unit import change_nats, unit_for
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.compare.sizes.comparison import Size, agreements
from dashboard.screens.compare.sizes.parts import STRONGEST, Parts


def compared_sheet(snapshot: Snapshot, compared: Sequence[Size], parts: Sequence[Parts], selection: Selection) -> Sheet:
    """Ranks and shares of the joined documents, overlaps, each size's words and how few parts carry them."""
    about = {
        "prompt": compared[0].generation.prompt if compared else "",
        "by": selection.unit,
        "sizes": [
            {
                "model": size.name,
                "answer": size.generation.text,
                "columns": [each.text for each in size.columns],
                "compared": size.place.text if size.place else "",
                "tokens": list(size.place.span) if size.place else [],
                "departs_at": size.departs,
                "layers": {group.label: share for group, share in zip(size.groups, size.shares, strict=False)},
            }
            for size in compared
        ],
        "overlaps": [
            {"small": small, "large": large, "overlap_at_10": overlap, "rank_biased_overlap": biased}
            for small, large, overlap, biased in agreements(compared)
        ],
        "components": [
            {
                "model": each.size.name,
                f"share_of_{STRONGEST}_strongest_heads": each.heads_share,
                "as_concentrated_as_equal_heads": each.heads_even,
                f"share_of_{STRONGEST}_strongest_neurons_of_kept": each.neurons_share,
                "decided_at_depth": each.decided,
                "strongest_heads": {head.key: effect for head, effect in each.heads.items()},
            }
            for each in parts
        ],
    }
    return Sheet(
        name="whence-compare",
        title="Documents behind one word, in each size",
        table=partial(_table, snapshot, list(compared)),
        address=address(selection),
        about=about,
    )


def _table(snapshot: Snapshot, compared: list[Size]) -> pd.DataFrame:
    ids = list(dict.fromkeys(each.document_id for size in compared for each in size.top))
    found = documents.documents(snapshot, ids)
    rows = []
    for size in compared:
        tokens = size.tokens[size.place.first : size.place.last + 1] if size.place else []
        logp = sum(token.logp for token in tokens) if tokens else float("nan")
        known = influence.calibration(snapshot, size.runs[0].run_id) if size.runs else None
        unit = unit_for(known, logp, ())
        for rank, each in enumerate(size.top, start=1):
            document = found.get(each.document_id)
            rows.append(
                {
                    "model": size.name,
                    "rank": rank,
                    "wrote": size.place.text if size.place else "",
                    "share": each.score / size.carried,
                    "change_nats": change_nats(unit, each.score),
                    "influence_raw": each.score,
                    "document_id": each.document_id,
                    "title": document.title if document else "",
                    "source": document.source if document else "",
                    "topic": document.topic if document else "",
                    "text": document.text if document else "",
                    "prompt": size.generation.prompt,
                    "answer": size.generation.text,
                    "estimator": method_name(size.runs[0].method) if size.runs else "",
                    "run_id": size.runs[0].run_id if size.runs else "",
                    "link": link_to(
                        "explain",
                        Selection(
                            generation=size.generation.generation_id,
                            span=size.place.span if size.place else None,
                            document=each.document_id,
                        ),
                    ),
                }
            )
    return pd.DataFrame(rows)
