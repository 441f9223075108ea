"""Heads and neurons of each size at one place: how concentrated, where decided, who reads a word. No widget here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dashboard.database.components import amounts
from dashboard.database.components.lens import decided, seen
from dashboard.database.components.name import Component
from dashboard.database.components.records import Floats
from dashboard.database.components.spread import even_number, share_of_strongest
from dashboard.database.queries import answers, inside
from dashboard.database.queries.rows import Snapshot
from dashboard.database.records import PromptToken
from dashboard.screens.compare.sizes.comparison import Size
from dashboard.screens.compare.sizes.places import Place

STRONGEST = 5  # heads and neurons whose share is said, and among which a reader of a word is looked for


@dataclass(frozen=True)
class Parts:
    """One size at what is compared. Shares between 0 and 1, of the sizes of total effects; nan and None where unknown.

    heads: the strongest ones with their effects, nats, summed over its tokens; decided: the depth from which on the
    lens puts every one of its tokens first; attention: of the strongest heads from its first token, over the prompt.
    """

    size: Size
    n_heads: int
    heads: dict[Component, float]
    heads_share: float
    heads_even: float
    neurons_share: float
    n_neurons: int  # that are kept
    decided: float | None
    attention: dict[Component, Floats]


def parts_of(snapshot: Snapshot, compared: Sequence[Size], applies: Mapping[str, bool] | None = None) -> list[Parts]:
    """Every size whose components are computed; without those where `applies` (by generation) is False."""
    asked = [each for each in compared if (applies or {}).get(each.generation.generation_id, True)]
    found = [_parts(snapshot, each, each.place) for each in asked if each.place is not None]
    return [each for each in found if each is not None]


def _parts(snapshot: Snapshot, size: Size, place: Place) -> Parts | None:
    generation_id = size.generation.generation_id
    split = inside.split(snapshot, size.generation.model.model_id)
    total = None
    if split is not None and split.known:
        total = amounts.total(inside.effects(snapshot, generation_id, *place.span), split)
    if total is None or split is None:
        return None
    heads, neurons = total.of("head"), total.of("neuron")
    strongest = dict(list(heads.items())[:STRONGEST])
    weights = inside.attention_of_all(snapshot, generation_id, place.first)
    return Parts(
        size,
        len(heads),
        strongest,
        share_of_strongest(list(heads.values()), STRONGEST),
        even_number(list(heads.values())),
        share_of_strongest(list(neurons.values()), STRONGEST),
        len(neurons),
        _decided(snapshot, generation_id, place),
        {each: weights[each.depth, each.number] for each in strongest if (each.depth, each.number) in weights},
    )


def _decided(snapshot: Snapshot, generation_id: str, place: Place) -> float | None:
    lines = [seen(inside.lens(snapshot, generation_id, i, i), 1) for i in range(place.first, place.last + 1)]
    depths = [decided(line) for line in lines if line]
    known = [each for each in depths if each is not None]
    return max(known) if known and len(known) == len(lines) else None


def words_of(snapshot: Snapshot, parts: Sequence[Parts]) -> list[PromptToken]:
    """The prompt's tokens as the first size reads them, without what nobody sees."""
    if not parts:
        return []
    generation = parts[0].size.generation
    tokens = answers.prompt_tokens(snapshot, generation.model.tokenizer_id, generation.prompt_id)
    return [token for token in tokens if token.stop > token.start]


def most_read(parts: Sequence[Parts], words: Sequence[PromptToken]) -> int | None:
    """The position of the word that the strongest heads of all sizes attend to most; the first is left out, for heads
    that have nothing to read attend to it."""
    sums = {word.position: sum(_best(each, word.position)[1] for each in parts) for word in words if word.position > 0}
    best = max(sums, key=lambda position: sums[position], default=None)
    return best if best is not None and sums[best] > 0 else None


def readers(parts: Sequence[Parts], position: int) -> list[tuple[Parts, Component, float]]:
    """Of each size the one of its strongest heads that attends to a word most, with the share of its attention; sizes
    of another tokenizer are left out."""
    tokenizer = parts[0].size.generation.model.tokenizer_id if parts else ""
    same = [each for each in parts if each.size.generation.model.tokenizer_id == tokenizer]
    found = [(each, *_best(each, position)) for each in same]
    return [(each, head, weight) for each, head, weight in found if head is not None]


def _best(parts: Parts, position: int) -> tuple[Component | None, float]:
    weights = {head: float(of[position]) for head, of in parts.attention.items() if position < np.size(of)}
    best = max(weights, key=lambda head: weights[head], default=None)
    return (best, weights[best]) if best is not None else (None, 0.0)
