"""Everything that Inside says about one answer, asked in one place: no widget, no drawing."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from dashboard.address.choices import EFFECTS
from dashboard.address.selection import Selection, Span
from dashboard.database.components import amounts as sums
from dashboard.database.components.amounts import Amounts
from dashboard.database.components.lens import Seen, seen
from dashboard.database.components.name import Component, component_named
from dashboard.database.components.records import Effect, Floats, Split, Spoken, Taught
from dashboard.database.kept.answer import KeptAnswer
from dashboard.database.layer_groups import LayerGroup, layer_groups
from dashboard.database.queries import components, influence, inside
from dashboard.database.queries.rows import Snapshot
from dashboard.database.ranking import Ranked, rank_documents, take_side
from dashboard.database.records import Generation, KeptScores, Measure, PromptPart, PromptToken, Run, Token
from dashboard.database.unit import Unit, logp_of, shown_layers, unit_for

HELPFUL = 10  # documents whose training influence is shown, part by part, while none is chosen
NEURONS = 12  # in the list


@dataclass(frozen=True)
class Through:
    """What a document did through one component, nats; whole: through all of the model; known: tokens in the sum."""

    document_id: str
    score: float
    whole: float
    known: int


@dataclass(frozen=True)
class View:
    """One answer seen through one run. `span` is what is looked at; `whole` tells that nothing was chosen."""

    generation: Generation
    siblings: list[Generation]
    run: Run | None
    tokens: list[Token]
    prompt_tokens: list[PromptToken]
    parts: list[PromptPart]
    span: Span
    whole: bool
    split: Split | None
    component: Component | None  # that is chosen and exists
    effect: str  # of EFFECTS, the one that is shown; '' where none is known
    amounts: dict[str, Amounts]  # those that are known, by effect
    predicted: Amounts | None  # of the components that were replaced
    against: str  # the foil that direct contributions are against
    helpful: list[Ranked]  # the documents of `taught`, and of the layers
    document: str  # that is chosen, and then is the only one of them; '' for none
    groups: list[LayerGroup]
    through: list[Through]  # of the chosen component, best first
    attention: list[Floats]  # of the chosen head, for each token of the span
    lens: dict[str, list[Seen]]  # by size, smallest first
    spoken: dict[Component, Spoken]  # what the neurons of the list write
    measures: list[Measure]
    unit: Unit  # of training influence

    @property
    def width(self) -> int:
        """Tokens of the span."""
        return self.span[1] - self.span[0] + 1

    @property
    def shown(self) -> Amounts | None:
        return self.amounts.get(self.effect)


def view(snapshot: Snapshot, selection: Selection, answer: KeptAnswer) -> View:
    """Ask everything about `answer` that `selection` needs. A position that does not exist is replaced by the whole
    answer; the screen tells by comparing with the selection."""
    tokens = answer.tokens()
    last = max(len(tokens) - 1, 0)
    whole = selection.span is None or selection.span[1] > last
    span = (0, last) if whole or selection.span is None else selection.span
    model = answer.generation.model
    split = answer.inside.split()
    whole_split = split if split is not None and split.known else None
    component = component_named(selection.component)
    if component and (whole_split is None or not whole_split.holds(component)):
        component = None

    scores = answer.scores(*span)
    groups = layer_groups(influence.layers(snapshot, model.model_id))
    taught = answer.inside.taught(*span) if whole_split else []
    ranked = rank_documents(split_ones(scores, taught) if whole_split else scores)
    alone = [each for each in ranked if each.document_id == selection.document]
    helpful = alone or take_side(ranked, "towards", HELPFUL)

    effects = answer.inside.effects(*span) if whole_split else []
    replaced = answer.inside.replaced(*span) if whole_split else []
    logp = logp_of(tokens, answer.targets(), *span)
    unit = unit_for(answer.calibration, logp, (each.score for each in helpful))
    known = _amounts(whole_split, effects, taught, helpful, groups, unit) if whole_split else {}
    if (measured := sums.measured(replaced)) is not None:
        known["measured"] = measured
    effect = selection.effect if selection.effect in known else next((each for each in EFFECTS if each in known), "")
    listed = list(known[effect].of("neuron"))[:NEURONS] if effect else []
    if component and component.kind == "neuron":
        listed.append(component)
    return View(
        generation=answer.generation,
        siblings=answer.siblings,
        run=answer.run,
        tokens=tokens,
        prompt_tokens=answer.prompt_tokens(),
        parts=answer.parts(),
        span=span,
        whole=whole,
        split=split,
        component=component,
        effect=effect,
        amounts=known,
        predicted=sums.predicted(replaced),
        against=effects[0].against if len(effects) == 1 else "",
        helpful=helpful,
        document=selection.document if alone else "",
        groups=groups,
        through=_through(taught, whole_split, component, ranked) if whole_split and component else [],
        attention=_attention(answer, whole_split, component, span) if whole_split and component else [],
        lens=_lens(snapshot, answer, span),
        spoken=components.spoken(snapshot, model.model_id, listed),
        measures=[each for each in answer.measures() if each.method == "component"],
        unit=unit,
    )


def split_ones(scores: KeptScores, taught: Sequence[Taught]) -> KeptScores:
    """The scores of those pairs of token and document that are split by component."""
    pairs = {(row.position, row.document_id) for row in taught}
    kept = [i for i in range(len(scores)) if (int(scores.position[i]), scores.document_id[i]) in pairs]
    arrays = {each.name: getattr(scores, each.name) for each in fields(scores) if each.name != "document_id"}
    some = {name: of[kept] for name, of in arrays.items()}
    return replace(scores, document_id=[scores.document_id[i] for i in kept], **some)


def query_heads(split: Split, component: Component) -> list[int]:
    """The query heads of a block that a component is, or that share it; a neuron has none."""
    if component.kind == "head":
        return [component.number]
    shared = max(split.n_heads // max(split.n_kv_heads, 1), 1)
    first = component.number * shared
    return list(range(first, first + shared)) if component.kind == "kv_head" else []


def _amounts(
    split: Split,
    effects: Sequence[Effect],
    taught: Sequence[Taught],
    helpful: Sequence[Ranked],
    groups: list[LayerGroup],
    unit: Unit,
) -> dict[str, Amounts]:
    ids = {each.document_id for each in helpful}
    found = {
        "total": sums.total(effects, split),
        "direct": sums.direct(effects, split),
        "taught": sums.taught(
            [row for row in taught if row.document_id in ids],
            split,
            _mlp(helpful, groups, unit),
            unit.factor(sum(each.score for each in helpful)),
            unit.name,
        ),
    }
    return {name: each for name, each in found.items() if each is not None}


def _mlp(helpful: Sequence[Ranked], groups: Sequence[LayerGroup], unit: Unit) -> dict[int, float]:
    """By block, what passes through the layers of its MLP."""
    of = [group for group in groups if group.kind == "mlp"]
    most = max((i for group in of for i in group.members), default=0)
    whole = [each for each in helpful if len(each.layers) > most and np.isfinite(each.layers).all()]
    if len(whole) != len(helpful):
        return {}
    layers = shown_layers(whole, unit)
    return {group.depth: float(layers[list(group.members)].sum()) if whole else 0.0 for group in of}


def _through(taught: Sequence[Taught], split: Split, component: Component, ranked: Sequence[Ranked]) -> list[Through]:
    whole = {each.document_id: each.score for each in ranked}
    found = [
        Through(document_id, score, whole.get(document_id, float("nan")), n)
        for document_id, (score, n) in sums.through(taught, split, component).items()
    ]
    return sorted(found, key=lambda each: (-each.score, each.document_id))


def _attention(answer: KeptAnswer, split: Split, component: Component, span: Span) -> list[Floats]:
    """Of a key–value head, the mean over the query heads that share it."""
    heads = query_heads(split, component)
    rows = [answer.inside.attention(*span, component.depth, head) for head in heads]
    return [np.mean(each, axis=0) for each in zip(*rows, strict=False)]


def _lens(snapshot: Snapshot, answer: KeptAnswer, span: Span) -> dict[str, list[Seen]]:
    """Of the answer, and of what the other sizes wrote in the same places."""
    width = span[1] - span[0] + 1
    found = {}
    for each in answer.siblings:
        mine = each.generation_id == answer.generation.generation_id
        points = answer.inside.lens(*span) if mine else inside.lens(snapshot, each.generation_id, *span)
        if line := seen(points, width):
            found[each.model.name] = line
    return found
