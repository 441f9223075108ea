"""The orders of Corpus that cleaning goes through, in words: their heads, and what may speak against a document."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dashboard.address.selection import Selection
from dashboard.database.queries import influence, sets
from dashboard.database.queries.rows import Snapshot
from dashboard.database.queries.sets import set_unit
from dashboard.database.records import FoundWrong, Model, Suspect
from dashboard.database.unit import Calibration, Unit, top_of, unit_for
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, percent, plain, signed
from dashboard.drawing.visible import visible_token
from dashboard.widgets.heading import panel
from indexer.evaluate.measures.mislabelled import HARM, HELD, OWN, RELABEL

VALUES = {"self_influence": "self_influence", "harm": "harm", "relabel": "gain"}  # order -> what it ranks by
MEASURED = {"self_influence": OWN, "harm": HARM + HELD, "relabel": RELABEL + HELD}  # as `evaluate` names them
HUES = {"self_influence": "strength", "harm": "cool", "relabel": "warm"}


def target_set_of(snapshot: Snapshot, run_id: str, chosen: Selection) -> str:
    """The set whose harm is shown: the chosen one, else the run's first; "" where it has none."""
    known = sets_of(snapshot, run_id)
    return chosen.target_set if chosen.target_set in known else next(iter(known), "")


def sets_of(snapshot: Snapshot, run_id: str) -> list[str]:
    """Target sets that a run has scored."""
    return [each.name for each in sets.set_targets(snapshot) if each.run_id == run_id]


@dataclass(frozen=True)
class Scales:
    """In which unit the documents of a page stand. tops: the largest size of each amount of `Suspect` there."""

    calibration: Calibration | None
    of_set: Unit
    tops: Mapping[str, float]

    def unit(self, each: Suspect, name: str) -> Unit:
        """Of one amount: a document on itself, on the set, or on a token of an answer."""
        if name == "harm":
            return replace(self.of_set, top=self.tops[name])
        logp = each.logp if name in ("gain", "score") else None if each.loss is None else -each.loss
        top = self.tops["gain"] if name == "score" else self.tops[name]
        return unit_for(self.calibration, float("nan") if logp is None else logp, [top])

    def shown(self, each: Suspect, name: str) -> tuple[str, str]:
        """One amount and its unit."""
        unit = self.unit(each, name)
        amount = unit.shown(getattr(each, name) or 0.0)
        return plain(amount) if name == "self_influence" else signed(amount, decimals([amount])), unit.name

    def said(self, each: Suspect, name: str) -> str:
        """Both in one."""
        return " ".join(self.shown(each, name))


def scales(snapshot: Snapshot, run_id: str, target_set: str, found: Mapping[str, Suspect]) -> Scales:
    """Of a page."""
    of_set = next(
        (set_unit(snapshot, of) for of in sets.set_targets(snapshot) if (of.run_id, of.name) == (run_id, target_set)),
        Unit(),
    )
    tops = {name: top_of(getattr(each, name) or 0.0 for each in found.values()) for name in VALUES.values()}
    return Scales(influence.calibration(snapshot, run_id), of_set, tops)


def against(each: Suspect, order: str, of: Scales, target_set: str) -> dict[str, Any]:
    """What a card says of it; its bar is relative to the largest of the page."""
    amount = getattr(each, VALUES[order]) or 0.0
    said, unit = of.shown(each, VALUES[order])
    hue, bar = HUES[order], abs(amount) / of.tops[VALUES[order]]
    card = {"score": said, "unit": unit, "hue": hue, "bar": bar, "facts": _facts(each, order, of, target_set)}
    return card | ({"badges": ((_replacement(each), True),)} if order == "relabel" else {})


def _facts(each: Suspect, order: str, of: Scales, target_set: str) -> str:
    """All else that is known against a document, in one line."""
    said = []
    if each.self_influence is not None and order != "self_influence":
        said.append(f"self-influence {of.said(each, 'self_influence')}")
    if each.loss is not None:
        said.append(f"loss {plain(each.loss)} nats")
    if each.harm is not None and order != "harm":
        said.append(f"{target_set} {of.said(each, 'harm')}")
    if each.gain is not None and order != "relabel":
        said.append(f"{_replacement(each)} {of.said(each, 'gain')}")
    if each.score is not None:
        said.append(f"as it is {of.said(each, 'score')}")
    return " · ".join(said)


def _replacement(each: Suspect) -> str:
    return f"“{word(each.said)}” → “{word(each.instead)}”"


def say_order(order: str, model: Model, target_set: str, unit: str, found: Sequence[FoundWrong]) -> None:
    """The head of the list. unit: of its numbers, a sentence; found: what the order was worth where `evaluate` tried
    it."""
    if order == "self_influence":
        panel("Self-influence", "How rare or surprising a document is to this size: not that it is wrong.")
        told = f"{model.name}: how far seeing a document once more would move its own loss."
    elif order == "harm":
        panel("Harm to a target set", "What one more look at a document would take: not what leaving it out gives.")
        told = f"{', '.join(filter(None, (model.name, target_set)))}: among the documents that were scored exactly."
    else:
        panel("Best relabelling", "One plausible word in the place of another: a first-order guess, not a correction.")
        told = f"{model.name}: the replacement that helps one token of a stored answer most, beside what the document "
        told += "itself does there; of documents among the first of some token."
    render.prose(*[("note", line) for line in (told, unit, *(_measured(each) for each in found))])


def _measured(each: FoundWrong) -> str:
    return (
        f"{each.name}, trained with mislabelled facts: {percent(each.within_ten)} of them stood among the first 10 % "
        f"of this order, one before a right document in {percent(each.auc)} of the cases (by chance 50 %)."
    )


def say_none(order: str, target_set: str, filtered: bool) -> None:
    """Why the list is empty."""
    if order == "harm" and not target_set:
        render.prose(
            ("fact", "No target set was scored for this size: it was built without [[targets]]."),
            ("command", '[[targets]]\nname = "capitals"\nfile = "capitals.jsonl"'),
        )
    elif filtered:
        render.problem("No document passes.")
    elif order == "harm":
        render.problem(f"No document that was scored exactly hurts {target_set}.")
    elif order == "relabel":
        render.problem("No replacement is stored: [scores] token_losses is 0, or an earlier Whence took any token.")
    else:
        render.problem("Self-influence is not stored for this size.")


def word(text: str) -> str:
    """A token as a word on the page."""
    return visible_token(text.strip() or text)
