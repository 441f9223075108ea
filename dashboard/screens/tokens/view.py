"""Everything that the page of a word says, asked in one place: no widget, no drawing."""

import math
from dataclasses import dataclass, field

from dashboard.address.selection import Selection
from dashboard.database.queries import answers, documents
from dashboard.database.queries.filters import count_matches, passing_answers
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.written import words
from dashboard.database.queries.written.records import Driver, DrivingGroup, InTexts, Occurrence
from dashboard.database.records import Model, Run, StoredDocument

SHOWN = 10  # documents


@dataclass(frozen=True)
class OfSize:
    """A word as one size writes it. run, of_groups: whose influence this is, None where the size has no run.

    places: where it was explained; n_times: how often it stands in the answers' texts, in n_answers of them; drivers:
    the documents that help it most
    """

    model: Model
    run: Run | None
    of_groups: Run | None
    n_answers: int
    n_times: int
    places: list[Occurrence]
    drivers: list[Driver]
    groups: list[DrivingGroup]

    @property
    def probability(self) -> float:
        """The mean over its places; NaN without any."""
        known = [math.exp(each.logp) for each in self.places if math.isfinite(each.logp)]
        return sum(known) / len(known) if known else float("nan")

    @property
    def top(self) -> Driver | None:
        """The most helpful document over all places."""
        return self.drivers[0] if self.drivers and self.drivers[0].score > 0 else None


@dataclass(frozen=True)
class View:
    """column: by which groups are grouped; passing: prompt_id -> the answers that have it, of all sizes."""

    token: str
    match: str
    unit: str
    column: str
    sizes: list[OfSize]
    shown: OfSize | None
    texts: list[InTexts]
    passing: dict[str, list[str]]
    documents: dict[str, StoredDocument] = field(default_factory=dict)  # that are shown

    def place_in(self, generation_id: str) -> Occurrence | None:
        """The first place of an answer."""
        found = (place for size in self.sizes for place in size.places if place.generation_id == generation_id)
        return next(found, None)


def view(snapshot: Snapshot, chosen: Selection, of_page: str = "") -> View:
    """Of the word of the filter; the size is the one that is chosen, else that of the page where it writes it, else the
    first that does."""
    token, match = chosen.token.strip(), "literal" if chosen.match == "literal" else "word"
    unit = words.unit_of(snapshot, match)
    sizes = [_of_size(snapshot, model, token, match, unit, chosen.column) for model in answers.models(snapshot)]
    named = next((each for each in sizes if each.model.name == chosen.size), None)
    scored = [each for each in sizes if each.drivers] or [each for each in sizes if each.n_times]
    of_size = next((each for each in scored if each.model.name == of_page), None)
    shown = named or of_size or next(iter(scored), None)
    tops = [each.top.document_id for each in sizes if each.top]
    listed = [each.document_id for each in helpful(shown)] if shown else []
    return View(
        token=token,
        match=match,
        unit=unit,
        column=chosen.column,
        sizes=sizes,
        shown=shown,
        texts=words.in_texts(snapshot, token),
        passing=passing_answers(snapshot, token=token, match=match),
        documents=documents.documents(snapshot, list(dict.fromkeys([*tops, *listed]))),
    )


def helpful(of: OfSize) -> list[Driver]:
    """The documents that are shown: those that help it most."""
    return [each for each in of.drivers if each.score > 0]


def _of_size(snapshot: Snapshot, model: Model, token: str, match: str, unit: str, column: str) -> OfSize:
    runs = answers.runs(snapshot, model.model_id)
    run, drivers = _driven(snapshot, model, token, unit)
    of_groups = next(iter(runs), None)
    of = passing_answers(snapshot, token=token, match=match, size=model.name)
    ids = [each for found in of.values() for each in found]
    return OfSize(
        model=model,
        run=run,
        of_groups=of_groups,
        n_answers=len(ids),
        n_times=count_matches(snapshot, token, match, ids),
        places=words.places(snapshot, model.model_id, token, unit),
        drivers=drivers,
        groups=words.driving_groups(snapshot, model.model_id, of_groups.run_id, token, unit, column)
        if of_groups
        else [],
    )


def _driven(snapshot: Snapshot, model: Model, token: str, unit: str) -> tuple[Run | None, list[Driver]]:
    """By the run that agrees best with retraining of those that scored documents for it."""
    for run in answers.best_first(snapshot, model.model_id):
        if found := words.drivers(snapshot, model.model_id, run.run_id, token, unit, SHOWN):
            return run, found
    return None, []
