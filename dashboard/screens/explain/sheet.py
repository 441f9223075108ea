"""The sheet of Explain: one row per kept document of the chosen tokens, best first, with the columns of the page."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dashboard.address.selection import Selection, address
from dashboard.export.sheet import Sheet
from dashboard.screens.explain.explanation import Explanation
from dashboard.screens.explain.page import explained_page

if TYPE_CHECKING:
    import pandas as pd


def explained_sheet(found: Explanation, selection: Selection) -> Sheet:
    """The question, the answer and its documents."""
    about = {
        "model": found.generation.model.name,
        "run_id": found.run.run_id if found.run else "",
        "prompt": found.generation.prompt,
        "answer": found.generation.text,
        "tokens": [{"position": t.position, "text": t.text, "logp": t.logp} for t in found.tokens],
        "span": list(found.span),
        "scale": selection.normaliser,
        "layers": [group.key for group in found.groups],
    }
    return Sheet(
        name=f"whence-{found.generation.generation_id}",
        title="Training documents of the chosen tokens",
        table=partial(_table, found, selection),
        address=address(selection),
        about=about,
        page=partial(explained_page, found, selection),
    )


def _table(found: Explanation, selection: Selection) -> pd.DataFrame:
    import pandas as pd  # late: the page comes without it

    return pd.DataFrame(
        {
            "rank": range(1, len(found.ranked) + 1),
            "document_id": [each.document_id for each in found.ranked],
            "value": [each.value for each in found.ranked],
            "scale": selection.normaliser,
            "influence_nats": [each.score for each in found.ranked],
            "known_for_tokens": [each.known for each in found.ranked],
            "self_influence": [each.self_influence for each in found.ranked],
            "layer_scores": [each.layers.tolist() for each in found.ranked],
            "generation_id": found.generation.generation_id,
            "model": found.generation.model.name,
            "run_id": found.run.run_id if found.run else "",
            "first_token": found.span[0],
            "last_token": found.span[1],
        }
    )
