"""The sheet of Explain: one row per kept document of the chosen tokens, best first, with the columns of the page."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

from dashboard.address.selection import Selection, address
from dashboard.database.method_names import method_name
from dashboard.database.queries import documents, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.unit import change_nats
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.explain.copies import copies
from dashboard.screens.explain.explanation import Explanation
from dashboard.screens.explain.page import explained_page

if TYPE_CHECKING:
    import pandas as pd


def explained_sheet(snapshot: Snapshot, found: Explanation, selection: Selection) -> Sheet:
    """The question, the answer and its documents."""
    about = {
        "model": found.generation.model.name,
        "run_id": found.run.run_id if found.run else "",
        "prompt": found.generation.prompt,
        "answer": found.generation.text,
        "tokens": [{"position": t.position, "text": t.text, "logp": t.logp} for t in found.tokens],
        "span": list(found.span),
        "target": target_kind(found),
        "scale": selection.normaliser,
        "words": words_of(found),
        "estimator": method_name(found.run.method) if found.run else "",
        "layer_names": layer_names(snapshot, found),
        "layer_groups": {group.label: list(group.members) for group in found.groups},
        "unit": found.unit.meaning,
        "groups": [
            asdict(each) | {"change_nats": change_nats(found.group_unit, each.score)} for each in found.whole_groups
        ],
        "verbatim": [asdict(each) for each in found.verbatim or ()],
    }
    return Sheet(
        name=f"whence-{found.generation.generation_id}",
        title="Training documents of the chosen tokens",
        table=partial(_table, snapshot, found, selection),
        address=address(selection),
        about=about,
        page=partial(explained_page, found, selection),
    )


def words_of(found: Explanation) -> str:
    """What is written where the tokens are that the documents are ranked for."""
    return "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])


def layer_names(snapshot: Snapshot, found: Explanation) -> list[str]:
    """Of each entry of `layer_scores`."""
    return [layer.name for layer in influence.layers(snapshot, found.generation.model.model_id)]


def target_kind(found: Explanation) -> str:
    """What the documents are ranked for: token, word, answer, or sum (over kept scores of several tokens)."""
    if found.exact is not None:
        return found.exact.kind
    return "token" if found.width == 1 else "sum"


def _table(snapshot: Snapshot, found: Explanation, selection: Selection) -> pd.DataFrame:
    import pandas as pd  # late: the page comes without it

    ids = [each.document_id for each in found.ranked]
    stored = documents.documents(snapshot, ids)
    held = copies(found.copies.spans, found.tokens, {key: each.text for key, each in stored.items()})
    names = layer_names(snapshot, found)
    of_answer = replace(selection, generation=found.generation.generation_id, document="")
    return pd.DataFrame(
        {
            "rank": range(1, len(found.ranked) + 1),
            "document_id": ids,
            **{
                name: [getattr(stored[each], name) if each in stored else "" for each in ids]
                for name in ("title", "source", "topic", "text")
            },
            "prompt": found.generation.prompt,
            "answer": found.generation.text,
            "words": words_of(found),
            "value": [each.value for each in found.ranked],
            "scale": selection.normaliser,
            "change_nats": [change_nats(found.unit, each.score) for each in found.ranked],
            "influence_raw": [each.score for each in found.ranked],
            "known_for_tokens": [each.known for each in found.ranked],
            "rank_of_scored": [each.best_rank for each in found.ranked],
            "self_influence": [each.self_influence for each in found.ranked],
            "layer_names": [names] * len(ids),
            "layer_scores": [each.layers.tolist() for each in found.ranked],
            "contains_words": [held.documents.get(each, "") for each in ids],
            "generation_id": found.generation.generation_id,
            "model": found.generation.model.name,
            "run_id": found.run.run_id if found.run else "",
            "estimator": method_name(found.run.method) if found.run else "",
            "target": target_kind(found),
            "first_token": found.span[0],
            "last_token": found.span[1],
            "link": [link_to("explain", replace(of_answer, document=each)) for each in ids],
        }
    )
