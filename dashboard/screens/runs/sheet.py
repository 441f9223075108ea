"""The sheet of Runs: one row per answer that passes the filters, on whatever page it stands."""

from collections.abc import Mapping, Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.group_records import Owed, named
from dashboard.database.method_names import method_name
from dashboard.database.queries import answers, documents, groups, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Best, Generation, StoredDocument
from dashboard.database.unit import change_nats, unit_for
from dashboard.database.whole_words import times_in
from dashboard.export.link import link_to
from dashboard.export.sheet import Sheet


def runs_sheet(snapshot: Snapshot, passing: Mapping[str, Sequence[str]], selection: Selection) -> Sheet:
    """Prompt, answer, size, date, mean prompt share, best document, verdict, and what it owes to the chosen group.

    passing: prompt_id -> the generations that pass the filters, in the order of the page
    """
    return Sheet(
        name="whence-runs",
        title="Prompts and their answers",
        table=partial(_table, snapshot, {key: list(ids) for key, ids in passing.items()}, selection),
        address=address(selection),
    )


def _table(snapshot: Snapshot, passing: dict[str, list[str]], selection: Selection) -> pd.DataFrame:
    group = selection.group
    ids = [each for of in passing.values() for each in of]
    of_prompts = answers.generations_of(snapshot, list(passing))
    shown = [each for key, row in of_prompts.items() for each in row if each.generation_id in passing[key]]
    best, shares = influence.best_documents(snapshot, ids), answers.prompt_shares(snapshot, ids)
    texts = documents.documents(snapshot, sorted({each.document_id for each in best.values()}))
    runs = [run for model in answers.models(snapshot) for run in answers.runs(snapshot, model.model_id)]
    methods = {run.run_id: run.method for run in runs}
    debts = groups.owed(snapshot, *named(group), ids) if group else {}
    verdicts = {True: "right", False: "wrong", None: ""}
    rows = [
        {
            "prompt": each.prompt,
            "topic": each.topic,
            "family": each.model.family,
            "model": each.model.name,
            "answer": each.text,
            "expected": each.answer,
            "verdict": verdicts[each.right],
            **_found(each, selection),
            "date": each.created_at.isoformat(" ", "seconds") if each.created_at else "",
            "mean_prompt_share": shares.get(each.generation_id, float("nan")),
            **_best(snapshot, best.get(each.generation_id), texts, methods),
            **(_owed(snapshot, group, debts.get(each.generation_id)) if group else {}),
            "generation_id": each.generation_id,
            "link": link_to("explain", Selection(generation=each.generation_id)),
        }
        for each in shown
    ]
    return pd.DataFrame(rows)


def _found(each: Generation, selection: Selection) -> dict[str, object]:
    """How often what is looked for stands in the answer."""
    if not selection.token.strip() or selection.within != "answers" or selection.match in ("literal", "regex"):
        return {}
    return {"looked_for": selection.token.strip(), "times": times_in(each.text, selection.token, selection.match)}


def _best(
    snapshot: Snapshot, best: Best | None, texts: Mapping[str, StoredDocument], methods: Mapping[str, str]
) -> dict[str, object]:
    """The document with the largest sum of stored influence on the answer's tokens."""
    document = texts.get(best.document_id) if best else None
    return {
        "best_document_id": best.document_id if best else "",
        "best_document": best.title if best else "",
        "best_document_source": document.source if document else "",
        "best_document_text": document.text if document else "",
        "best_document_change_nats": _change(snapshot, best.run_id, best.summed, best.logp) if best else float("nan"),
        "best_document_raw": best.summed if best else float("nan"),
        "best_document_known_for_tokens": best.n_tokens if best else 0,
        "estimator": method_name(methods.get(best.run_id, "")) if best else "",
        "run_id": best.run_id if best else "",
    }


def _change(snapshot: Snapshot, run_id: str, score: float, logp: float) -> float:
    return change_nats(unit_for(influence.calibration(snapshot, run_id), logp, ()), score)


def _owed(snapshot: Snapshot, group: str, owed: Owed | None) -> dict[str, object]:
    """The influence of all documents of a group on the answer, and the words of it that they help and hurt most."""
    nan = float("nan")
    return {
        "group": group,
        "group_change_nats": _change(snapshot, owed.run_id, owed.score, owed.logp) if owed else nan,
        "group_raw": owed.score if owed else nan,
        "group_error_raw": owed.error if owed and owed.error is not None else nan,
        "group_rank": owed.rank if owed else 0,
        "groups": owed.n_groups if owed else 0,
        "most_helped_word": owed.helped_word if owed else "",
        "most_helped_raw": owed.helped_score if owed else nan,
        "most_hurt_word": owed.hurt_word if owed else "",
        "most_hurt_raw": owed.hurt_score if owed else nan,
    }
