"""Layers as an analyst names them: attention and MLP of each block, and the embedding.

The database holds one score per tracked matrix (query, key, value, …); they add up to the document's score, so the
scores of a group are the sums over its members, and the groups add up to the same total.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dashboard.database.records import Layer

LABELS = {"attention": "Attention", "mlp": "MLP", "embedding": "Embedding", "block": "Block"}
_ORDER = {"attention": 0, "mlp": 1}


@dataclass(frozen=True)
class LayerGroup:
    """key: attention-3, mlp-3, block-3, embedding; members: indices into layer_scores."""

    key: str
    kind: str
    depth: int
    members: tuple[int, ...]

    @property
    def label(self) -> str:
        kind = LABELS.get(self.kind, self.kind)
        return kind if self.kind == "embedding" else f"{kind} {self.depth}"


def layer_groups(layers: Sequence[Layer]) -> list[LayerGroup]:
    """By depth, attention before MLP, the embedding last."""
    members: dict[tuple[bool, int, int, str], list[int]] = {}
    for layer in layers:
        embedding = layer.kind == "embedding"
        place = (embedding, 0 if embedding else layer.depth, _ORDER.get(layer.kind, 2), layer.kind)
        members.setdefault(place, []).append(layer.layer)
    return [
        LayerGroup(kind if last else f"{kind}-{depth}", kind, depth, tuple(members[last, depth, order, kind]))
        for last, depth, order, kind in sorted(members)
    ]


def by_block(groups: Sequence[LayerGroup]) -> list[tuple[LayerGroup, list[LayerGroup]]]:
    """Each block whole, with the groups that it is made of, in their order; what is in no block is made of itself."""
    found: dict[str, list[LayerGroup]] = {}
    for group in groups:
        found.setdefault("embedding" if group.kind == "embedding" else f"block-{group.depth}", []).append(group)
    return [
        (of[0] if key == "embedding" else LayerGroup(key, "block", of[0].depth, sum((g.members for g in of), ())), of)
        for key, of in found.items()
    ]


def group_named(groups: Sequence[LayerGroup], key: str) -> LayerGroup | None:
    """One of them, or a block of them."""
    blocks = [block for block, _ in by_block(groups)]
    return next((group for group in [*groups, *blocks] if group.key == key), None)


def group_scores(groups: Sequence[LayerGroup], layers: NDArray[np.float64]) -> NDArray[np.float64]:
    """[G] from [L]: the sum over each group's members. IndexError when the scores are of another model."""
    return np.array([layers[list(group.members)].sum() for group in groups])
