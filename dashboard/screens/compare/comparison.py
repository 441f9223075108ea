"""The sizes of a family on one prompt, side by side: their tokens, their documents, their layers. No widget here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from dashboard.database.layer_groups import LayerGroup, group_scores, layer_groups
from dashboard.database.queries import answers, influence
from dashboard.database.queries.rows import Snapshot
from dashboard.database.ranking import Ranked, layer_total, rank_documents, take_side
from dashboard.database.records import Generation, Run, Token
from dashboard.screens.compare.overlap import fork, overlap_at, rank_biased_overlap

TOP = 10


@dataclass(frozen=True)
class Size:
    """One size's answer; `top`: its ten most helpful documents for the compared token, [] where it has none."""

    generation: Generation
    runs: list[Run]  # its documents are those of the first: the one that agrees best with retraining
    tokens: list[Token]
    departs: int | None  # first token that differs from the size above
    top: list[Ranked]
    groups: list[LayerGroup]
    shares: list[float]  # of the top documents' absolute influence, by layer group

    @property
    def name(self) -> str:
        return self.generation.model.name


def compare(
    snapshot: Snapshot, generations: Sequence[Generation], position: int, applies: Mapping[str, bool] | None = None
) -> list[Size]:
    """Every size at one position of its own answer; without documents where `applies` (by generation) is False."""
    sizes: list[Size] = []
    for generation in generations:
        tokens = answers.tokens(snapshot, generation.generation_id)
        above = [token.text for token in sizes[-1].tokens] if sizes else [token.text for token in tokens]
        runs = answers.best_first(snapshot, generation.model.model_id)
        top: list[Ranked] = []
        if runs and position < len(tokens) and (applies or {}).get(generation.generation_id, True):
            scores = influence.kept_scores(snapshot, runs[0].run_id, generation.generation_id, position, position)
            top = take_side(rank_documents(scores), "towards", TOP)
        groups = layer_groups(influence.layers(snapshot, generation.model.model_id))
        departs = fork(above, [token.text for token in tokens])
        sizes.append(Size(generation, runs, tokens, departs, top, groups, layer_shares(groups, top)))
    return sizes


def agreements(sizes: Sequence[Size]) -> list[tuple[str, str, float, float]]:
    """(smaller, larger, overlap at 10, rank-biased overlap) for each pair of sizes that has documents."""
    found = []
    for small, large in combinations([size for size in sizes if size.top], 2):
        one, other = ([each.document_id for each in size.top] for size in (small, large))
        found.append((small.name, large.name, overlap_at(one, other, TOP), rank_biased_overlap(one, other, TOP)))
    return found


def joined(sizes: Sequence[Size]) -> list[str]:
    """Ids of all top documents: first those that most sizes share, then by their best rank."""
    places: dict[str, list[int]] = {}
    for size in sizes:
        for rank, each in enumerate(size.top):
            places.setdefault(each.document_id, []).append(rank)
    return sorted(places, key=lambda document_id: (-len(places[document_id]), min(places[document_id]), document_id))


def layer_shares(groups: Sequence[LayerGroup], top: Sequence[Ranked]) -> list[float]:
    """Of the absolute influence of the top documents; [] where it is not known by layer."""
    total = layer_total(list(top))
    if not total.size or total.size != sum(len(group.members) for group in groups):
        return []
    amounts = np.abs(group_scores(groups, total))
    return (amounts / amounts.sum()).tolist() if amounts.sum() > 0 else []
