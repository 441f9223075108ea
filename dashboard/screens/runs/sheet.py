"""The sheet of Runs: one row per answer that passes the filters, not only those of the page."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.group_records import Owed, named
from dashboard.database.queries import answers, groups, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Best
from dashboard.database.unit import change_nats, unit_for
from dashboard.export.sheet import Sheet


def runs_sheet(snapshot: Snapshot, prompt_ids: Sequence[str], selection: Selection) -> Sheet:
    """Prompt, answer, size, date, mean prompt share, best document, verdict, and what it owes to the chosen group."""
    return Sheet(
        name="whence-runs",
        title="Prompts and their answers",
        table=partial(_table, snapshot, list(prompt_ids), selection.size, selection.group),
        address=address(selection),
    )


def _table(snapshot: Snapshot, prompt_ids: list[str], size: str, group: str) -> pd.DataFrame:
    found = answers.generations_of(snapshot, prompt_ids)
    shown = [each for row in found.values() for each in row if size in ("", each.model.name)]
    ids = [each.generation_id for each in shown]
    best, shares = influence.best_documents(snapshot, ids), answers.prompt_shares(snapshot, ids)
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
            "date": each.created_at.isoformat(" ", "seconds") if each.created_at else "",
            "mean_prompt_share": shares.get(each.generation_id, float("nan")),
            **_best(snapshot, best.get(each.generation_id)),
            **(_owed(snapshot, group, debts.get(each.generation_id)) if group else {}),
            "generation_id": each.generation_id,
        }
        for each in shown
    ]
    return pd.DataFrame(rows)


def _best(snapshot: Snapshot, best: Best | None) -> dict[str, object]:
    """The document with the largest sum of stored influence on the answer's tokens."""
    return {
        "best_document_id": best.document_id if best else "",
        "best_document": best.title if best else "",
        "best_document_change_nats": _change(snapshot, best.run_id, best.summed, best.logp) if best else float("nan"),
        "best_document_raw": best.summed if best else float("nan"),
        "best_document_known_for_tokens": best.n_tokens if best else 0,
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
