"""The sheet of Inside: one row per head and kept neuron; of a chosen component, one row per document."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING

from dashboard.address.selection import Selection, address
from dashboard.database.method_names import method_name
from dashboard.database.queries import documents
from dashboard.database.queries.rows import Snapshot
from dashboard.database.unit import change_nats
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet
from dashboard.screens.inside.view import Through, View

if TYPE_CHECKING:
    import pandas as pd


def inside_sheet(snapshot: Snapshot, found: View, selection: Selection) -> Sheet:
    """The amounts of all components, or the documents of one; the lens of every size."""
    about = {
        "model": found.generation.model.name,
        "run_id": found.run.run_id if found.run else "",
        "prompt": found.generation.prompt,
        "answer": found.generation.text,
        "span": list(found.span),
        "against": found.against,
        "documents": [each.document_id for each in found.helpful],
        "sums": {name: {**each.others, "unit": each.unit, "total": each.total} for name, each in found.amounts.items()},
        "mlp": {name: [each.mlp[depth] for depth in sorted(each.mlp)] for name, each in found.amounts.items()},
        "lens": {name: [asdict(each) for each in of] for name, of in found.lens.items()},
        "faithfulness": {each.metric: each.value for each in found.measures},
    }
    if found.component:
        about["component"] = found.component.key
    return Sheet(
        name=f"whence-inside-{found.generation.generation_id}",
        title="Documents by what passes through one component" if found.component else "Heads and neurons",
        table=partial(_documents, snapshot, found, selection)
        if found.component
        else partial(_components, found, selection),
        address=address(selection),
        about=about,
    )


NAMES = {
    "direct": "direct_logits",
    "total": "total_nats",
    "predicted": "predicted_nats",
    "measured": "measured_nats",
    "taught": "training_influence",  # and its unit
}
UNITS = {"nats": "_change_nats", "%": "_percent_of_the_strongest"}


def _components(found: View, selection: Selection) -> pd.DataFrame:
    import pandas as pd  # late: the page comes without it

    known = found.amounts | ({"predicted": found.predicted} if found.predicted else {})
    all_parts = sorted({part for each in known.values() for part in each.parts})
    columns: dict[str, object] = {
        "component": [each.key for each in all_parts],
        "kind": [each.kind for each in all_parts],
        "depth": [each.depth for each in all_parts],
        "number": [each.number for each in all_parts],
    }
    names = NAMES | {"taught": f"{NAMES['taught']}{UNITS[found.unit.name]}"}
    values = {names[name]: [each.parts.get(part, float("nan")) for part in all_parts] for name, each in known.items()}
    of_answer = replace(selection, generation=found.generation.generation_id)
    links = {"link": [link_to("inside", replace(of_answer, component=each.key)) for each in all_parts]}
    return pd.DataFrame(columns | values | {name: [said] * len(all_parts) for name, said in _told(found)} | links)


def _told(found: View) -> list[tuple[str, object]]:
    """What every row says of the answer that it is about."""
    return [
        ("model", found.generation.model.name),
        ("prompt", found.generation.prompt),
        ("answer", found.generation.text),
        ("words", "".join(token.text for token in found.tokens[found.span[0] : found.span[1] + 1])),
        ("estimator", method_name(found.run.method) if found.run else ""),
        ("run_id", found.run.run_id if found.run else ""),
        ("generation_id", found.generation.generation_id),
        ("first_token", found.span[0]),
        ("last_token", found.span[1]),
    ]


def _documents(snapshot: Snapshot, found: View, selection: Selection) -> pd.DataFrame:
    import pandas as pd

    texts = documents.documents(snapshot, [each.document_id for each in found.through])
    of_answer = replace(selection, generation=found.generation.generation_id, component="")
    return pd.DataFrame(
        {
            "component": found.component.key if found.component else "",
            "document_id": [each.document_id for each in found.through],
            **{
                name: [
                    getattr(texts[each.document_id], name) if each.document_id in texts else ""
                    for each in found.through
                ]
                for name in ("title", "source", "topic", "text")
            },
            "change_through_it_nats": [_nats(found, each) for each in found.through],
            "change_nats": [change_nats(found.unit, each.whole) for each in found.through],
            "influence_through_it_raw": [each.score for each in found.through],
            "influence_raw": [each.whole for each in found.through],
            "known_for_tokens": [each.known for each in found.through],
            **dict(_told(found)),
            "link": [link_to("explain", replace(of_answer, document=each.document_id)) for each in found.through],
        }
    )


def _nats(found: View, each: Through) -> float:
    """What passes through the component of what the document changes."""
    return float("nan") if found.unit.slope is None else float(found.unit.parts(each.score, each.whole))
