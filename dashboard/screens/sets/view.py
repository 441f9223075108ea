"""Everything that Sets shows of one set in one size, asked once. No widget here."""

from collections.abc import Sequence
from dataclasses import dataclass

from dashboard.address.selection import Selection
from dashboard.database.group_records import GroupScore
from dashboard.database.layer_groups import LayerGroup, layer_groups
from dashboard.database.queries import answers, documents, influence, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.sets import set_unit
from dashboard.database.records import AsRead, Model, Run, StoredDocument
from dashboard.database.set_records import CurvePoint, SetScore, SetTarget
from dashboard.database.unit import Unit

SHOWN = 10  # documents of a page


@dataclass(frozen=True)
class View:
    """`target` in the chosen size; `sizes`: the same set in every size; `shown`: documents of this page."""

    target: SetTarget
    model: Model
    sizes: list[SetTarget]
    runs: list[Run]  # of the model, that have the set
    shown: list[SetScore]
    total: int  # documents of this side that were scored
    page: int
    documents: dict[str, StoredDocument]
    read: dict[str, AsRead]  # of those documents
    layers: list[LayerGroup]
    groups: list[GroupScore]
    curves: list[tuple[SetTarget, list[CurvePoint]]]  # of each size that has one
    unit: Unit  # of `shown`

    @property
    def n_pages(self) -> int:
        return max(1, -(-self.total // SHOWN))


def names(targets: Sequence[SetTarget]) -> list[str]:
    """The sets of a database, in order."""
    return list(dict.fromkeys(each.name for each in targets))


def of_set(targets: Sequence[SetTarget], name: str, run: str = "") -> list[SetTarget]:
    """A set in every size: of each model the wanted run, else the first one that asked it."""
    first: dict[str, SetTarget] = {}
    for each in targets:
        if each.name == name and (each.run_id == run or each.model_id not in first):
            first[each.model_id] = each
    return list(first.values())


def view(snapshot: Snapshot, sizes: list[SetTarget], chosen: Selection, of_page: str = "") -> View:
    """sizes: of `of_set`, one at least; the chosen size, else that of the page, else the first that has the set."""
    wanted = chosen.size or of_page
    target = next((each for each in sizes if each.model == wanted), sizes[0])
    model = next(each for each in answers.models(snapshot) if each.model_id == target.model_id)
    total = sets.count_scores(snapshot, target.run_id, target.name, chosen.tail)
    page = min(max(1, chosen.page or 1), max(1, -(-total // SHOWN)))
    asked = {each.run_id for each in sets.set_targets(snapshot) if each.name == target.name}
    shown = sets.set_scores(snapshot, target.run_id, target.name, chosen.tail, SHOWN, (page - 1) * SHOWN)
    ids = [each.document_id for each in shown]
    curves = [(each, sets.set_curve(snapshot, each.run_id, each.name)) for each in sizes]
    return View(
        target=target,
        model=model,
        sizes=sizes,
        runs=[run for run in answers.runs(snapshot, model.model_id) if run.run_id in asked],
        shown=shown,
        total=total,
        page=page,
        documents=documents.documents(snapshot, ids),
        read=documents.as_read(snapshot, model.tokenizer_id, ids),
        layers=layer_groups(influence.layers(snapshot, model.model_id)),
        groups=sets.set_groups(snapshot, target.run_id, target.name),
        curves=[(each, points) for each, points in curves if points],
        unit=set_unit(snapshot, target).over(each.score for each in shown),
    )
