"""Influence by layer as bars: attention and MLP of each block, and the embedding; of a deep model, block by block."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dashboard.database.layer_groups import LayerGroup, by_block, group_scores
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Bar

MOST = 20  # bars side by side; with more of them blocks are drawn whole, and unfolded


def show_bars(
    groups: Sequence[LayerGroup],
    layers: NDArray[np.float64],
    *,
    key: str,
    chosen: str = "",
    unit: str,
    what: str = "the token",
    on_layer: Callable[[str], None] | None = None,
) -> None:
    """One bar for each group of layers, in the order of depth; they add up to the total. layers: [L], in `unit`; what:
    is pushed."""
    bars = layer_bars(groups, layers)
    largest = max(bars, key=lambda bar: abs(bar.amount))
    total = float(layers.sum())
    said = f"{signed(total, decimals([total]))} {unit}"
    render.bar_list(
        bars,
        key=key,
        about=f"Influence by layer, {len(bars)} bars that add up to {said}; the largest is {largest.name} with "
        f"{largest.said} {unit}.",
        legend=[("", f"{said} in all:"), ("warm", f"towards {what}"), ("cool", "away from it")],
        chosen=chosen,
        on_bar=on_layer,
    )


def layer_bars(groups: Sequence[LayerGroup], layers: NDArray[np.float64]) -> list[Bar]:
    """A bar for each group; where there are many, one for each block, with its groups as parts."""
    places = decimals(group_scores(groups, layers))

    def bar(group: LayerGroup, parts: Sequence[LayerGroup] = ()) -> Bar:
        amount = float(layers[list(group.members)].sum())
        made = tuple(bar(part) for part in parts)
        return Bar(group.key, group.label, amount, signed(amount, places), made)

    if len(groups) <= MOST:
        return [bar(group) for group in groups]
    return [bar(block, of if len(of) > 1 else ()) for block, of in by_block(groups)]
