"""A target set from Python: many prompts with completions as one question, and the documents behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

from attribution.errors import BadInput
from dashboard.database.group_records import GroupScore
from dashboard.database.queries import documents, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.sets import set_unit
from dashboard.database.set_records import CurvePoint, SetTarget, SetText
from dashboard.database.unit import change_nats

if TYPE_CHECKING:
    import pandas as pd

DOCUMENTS = ("rank", "document_id", "title", "source", "topic", "text", "influence", "change", "estimate")
LISTED = (
    "name",
    "model",
    "method",
    "against",
    "value",
    "n_texts",
    "n_tokens",
    "n_documents",
    "n_scored",
    "null_mean",
    "null_std",
    "rank_correlation",
    "estimate_error",
)


def sets_of(snapshot: Snapshot) -> pd.DataFrame:
    """Every set of every model: see `Runs.sets`."""
    import pandas as pd

    found = sets.set_targets(snapshot)
    return pd.DataFrame([[getattr(each, name) for name in LISTED] for each in found], columns=list(LISTED))


def set_of(snapshot: Snapshot, name: str, model: str) -> TargetSet:
    """See `Runs.set`."""
    targets = sets.set_targets(snapshot)
    if name not in {each.name for each in targets}:
        known = ", ".join(dict.fromkeys(each.name for each in targets)) or "none: [[targets]] names them"
        raise BadInput(f"expected a target set of the database, found {name!r}; choose from {known}")
    of = [each for each in targets if each.name == name and model in ("", each.model)]
    if not of:
        known = ", ".join(dict.fromkeys(each.model for each in targets if each.name == name))
        raise BadInput(f"expected a model with the target set {name}, found {model!r}; choose from {known}")
    return TargetSet(of[0].name, of[0].model, of[0].value, of[0], snapshot)


@dataclass(frozen=True)
class TargetSet:
    """What one model makes of a target set. value: mean log p of a token of its completions, nats, less that of what it
    is against."""

    name: str
    model: str
    value: float
    target: SetTarget = field(repr=False, compare=False)
    snapshot: Snapshot = field(repr=False, compare=False)

    def documents(self) -> pd.DataFrame:
        """The documents at either end, exactly scored, most helpful first: [N] rank (among all documents, from 1),
        document_id, title, source, topic, text, influence (as the formula gives it), change (of `value`, nats, if the
        document were seen once more, as retraining has calibrated it; missing where none has), estimate (of the
        influence, by the gradient index)."""
        import pandas as pd

        unit = set_unit(self.snapshot, self.target)
        found = sets.set_scores(self.snapshot, self.target.run_id, self.name, "both")
        about = documents.documents(self.snapshot, [each.document_id for each in found])
        rows = []
        for each in sorted(found, key=lambda of: of.rank):
            of = about[each.document_id]
            rows.append(
                (each.rank, each.document_id, of.title, of.source, of.topic, of.text, each.score)
                + (change_nats(unit, each.score), each.estimate)
            )
        return pd.DataFrame(rows, columns=list(DOCUMENTS))

    @property
    def curve(self) -> pd.DataFrame:
        """All documents in falling order of their estimates, thinned out: [N] place (documents before and with it),
        estimate (of this one, as the formula gives it), total (of all up to it)."""
        return _table(CurvePoint, sets.set_curve(self.snapshot, self.target.run_id, self.name))

    @property
    def groups(self) -> pd.DataFrame:
        """Influence of whole groups of documents: [N] corpus, column_name ("": all documents), value, n_documents,
        score (as the formula gives it), error (a standard error where it is estimated, missing where it is exact)."""
        return _table(GroupScore, sets.set_groups(self.snapshot, self.target.run_id, self.name))

    @property
    def texts(self) -> pd.DataFrame:
        """[N] number, side ("" or "against"), prompt, completion."""
        return _table(SetText, sets.set_texts(self.snapshot, self.name))


def _table(kind: type[Any], records: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame([asdict(each) for each in records], columns=[each.name for each in fields(kind)])
