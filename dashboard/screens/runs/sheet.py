"""The sheet of Runs: one row per answer that passes the filters, not only those of the page."""

from collections.abc import Sequence
from functools import partial

import pandas as pd

from dashboard.address.selection import Selection, address
from dashboard.database.queries import answers, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import Best
from dashboard.export.sheet import Sheet


def runs_sheet(snapshot: Snapshot, prompt_ids: Sequence[str], selection: Selection) -> Sheet:
    """Prompt, answer, size, date, mean prompt share, best document and verdict."""
    return Sheet(
        name="whence-runs",
        title="Prompts and their answers",
        table=partial(_table, snapshot, list(prompt_ids), selection.size),
        address=address(selection),
    )


def _table(snapshot: Snapshot, prompt_ids: list[str], size: str) -> pd.DataFrame:
    found = answers.generations_of(snapshot, prompt_ids)
    shown = [each for row in found.values() for each in row if size in ("", each.model.name)]
    ids = [each.generation_id for each in shown]
    best, shares = influence.best_documents(snapshot, ids), answers.prompt_shares(snapshot, ids)
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
            **_best(best.get(each.generation_id)),
            "generation_id": each.generation_id,
        }
        for each in shown
    ]
    return pd.DataFrame(rows)


def _best(best: Best | None) -> dict[str, object]:
    """The document with the largest sum of stored influence on the answer's tokens."""
    return {
        "best_document_id": best.document_id if best else "",
        "best_document": best.title if best else "",
        "best_document_nats": best.summed if best else float("nan"),
        "best_document_known_for_tokens": best.n_tokens if best else 0,
    }
