"""The sizes of a family on one prompt, side by side: their words, their documents, their layers. No widget here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from dashboard.database.kept.answer import KeptAnswer, StoredAnswer
from dashboard.database.layer_groups import LayerGroup, group_scores, layer_groups
from dashboard.database.queries import answers, influence, spans
from dashboard.database.queries.rows import Snapshot
from dashboard.database.ranking import Floats, Ranked, layer_total, rank_documents, take_side
from dashboard.database.records import Generation, Run, Token
from dashboard.screens.compare.sizes.overlap import overlap_at, rank_biased_overlap
from dashboard.screens.compare.sizes.places import Place, departures, places

TOP = 10


@dataclass(frozen=True)
class Size:
    """One size's answer in columns (words, tokens, or one: the whole answer), and what is behind one of them.

    place: the compared column, None where the answer is shorter; ranked: its kept documents, the most helpful first;
    top: the ten first ones that help; null_scores: of random documents, nats. All [] where another size wrote the text.
    """

    generation: Generation
    runs: list[Run]  # its documents are those of the first: the one that agrees best with retraining
    tokens: list[Token]
    columns: list[Place]
    departs: int | None  # first column that differs from the size above
    groups: list[LayerGroup]
    place: Place | None = None
    ranked: tuple[Ranked, ...] = ()
    top: tuple[Ranked, ...] = ()
    null_scores: Floats = field(default_factory=lambda: np.empty(0))

    @property
    def name(self) -> str:
        return self.generation.model.name

    @property
    def run_id(self) -> str:
        """ "" where nothing was scored."""
        return self.runs[0].run_id if self.runs else ""

    @property
    def shares(self) -> list[float]:
        """Of the top documents' absolute influence, by layer group; [] where there are none."""
        total = layer_total(list(self.top))
        if not total.size or total.size != sum(len(group.members) for group in self.groups):
            return []
        amounts = np.abs(group_scores(self.groups, total))
        return (amounts / amounts.sum()).tolist() if amounts.sum() > 0 else []

    @property
    def carried(self) -> float:
        """What its ten carry together, nats; 1 where it has none, so that it may be divided by."""
        return sum(each.score for each in self.top) or 1.0


def answers_in(snapshot: Snapshot, generations: Sequence[Generation], unit: str) -> list[Size]:
    """Every size with its columns by `unit`; what is behind one of them is still to be asked: see `at`."""
    read = []
    for generation in generations:
        runs = answers.best_first(snapshot, generation.model.model_id)
        tokens = answers.tokens(snapshot, generation.generation_id)
        targets = spans.answer_spans(snapshot, runs[0].run_id if runs else "", generation.generation_id)
        read.append((runs, tokens, places(targets, generation.text, tokens, unit)))
    departs = departures([columns for _, _, columns in read])
    groups = [layer_groups(influence.layers(snapshot, each.model.model_id)) for each in generations]
    return [
        Size(generation, *of, departs=column, groups=layers)
        for generation, of, column, layers in zip(generations, read, departs, groups, strict=True)
    ]


def at(snapshot: Snapshot, sizes: Sequence[Size], column: int, applies: Mapping[str, bool] | None = None) -> list[Size]:
    """Every size at one column of its own answer; without documents where `applies` (by generation) is False."""
    found = []
    for size in sizes:
        place = size.columns[column] if column < len(size.columns) else None
        asked = place is not None and size.runs and (applies or {}).get(size.generation.generation_id, True)
        there = replace(size, place=place)
        found.append(scored(there, StoredAnswer(snapshot, size.generation, size.run_id)) if asked else there)
    return found


def scored(size: Size, answer: KeptAnswer) -> Size:
    """With the documents of the compared column: those of its own target, or the sum over the kept ones of its tokens;
    as it is where it has no such column."""
    place = size.place
    if place is None:
        return size
    if place.exact is not None:
        scores, target = answer.span_scores(place.exact), answer.span_target(place.exact)
    else:
        scores = answer.scores(*place.span)
        target = answer.targets().get(place.first) if place.first == place.last else None
    ranked = rank_documents(scores)
    null_scores = target.null_scores if target is not None else np.empty(0)
    return replace(size, ranked=tuple(ranked), top=tuple(take_side(ranked, "towards", TOP)), null_scores=null_scores)


def agreements(sizes: Sequence[Size]) -> list[tuple[str, str, float, float]]:
    """(smaller, larger, overlap at 10, rank-biased overlap) for each pair of sizes that has documents."""
    found = []
    for small, large in combinations([size for size in sizes if size.top], 2):
        one, other = ([each.document_id for each in size.top] for size in (small, large))
        found.append((small.name, large.name, overlap_at(one, other, TOP), rank_biased_overlap(one, other, TOP)))
    return found


def joined(sizes: Sequence[Size]) -> list[str]:
    """Ids of all top documents: first those that most sizes share, then by their best rank."""
    ranks: dict[str, list[int]] = {}
    for size in sizes:
        for rank, each in enumerate(size.top):
            ranks.setdefault(each.document_id, []).append(rank)
    return sorted(ranks, key=lambda document_id: (-len(ranks[document_id]), min(ranks[document_id]), document_id))


def in_its_list(size: Size, document_id: str, sizes: Sequence[Size]) -> tuple[int, float] | str:
    """Rank and share of its ten of a document in one size, or in words why there are none.

    Where the sizes that have the document among their ten wrote something else here, the documents of this size answer
    another question: then what it wrote says more than a rank.
    """
    for rank, each in enumerate(size.top, start=1):
        if each.document_id == document_id:
            return rank, each.score / size.carried
    theirs = {
        each.place.text
        for each in sizes
        if each.place is not None and any(one.document_id == document_id for one in each.top)
    }
    if size.place is None:
        return "its answer is shorter"
    if size.place.text not in theirs:
        return f"wrote {size.place.text or 'the end'} here"
    if not size.ranked:
        return "not computed"
    kept = next((each for each in size.ranked if each.document_id == document_id), None)
    if kept is None or kept.best_rank <= TOP:
        return "not in its ten"
    return f"no. {kept.best_rank:,}" if kept.score > 0 else f"no. {kept.best_rank:,}, pushes away"
