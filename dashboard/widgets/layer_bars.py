"""Influence by layer as bars: attention and MLP of each block, and the embedding."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dashboard.database.layer_groups import LayerGroup
from dashboard.drawing import render
from dashboard.drawing.numbers import decimals, signed
from dashboard.drawing.shapes import Bar


def show_bars(
    groups: Sequence[LayerGroup],
    amounts: NDArray[np.float64],
    *,
    key: str,
    chosen: str = "",
    on_layer: Callable[[str], None] | None = None,
) -> None:
    """One bar for each group of layers, nats, in the order of depth; they add up to the total. amounts: [G]."""
    places = decimals(amounts)
    bars = [
        Bar(group.key, group.label, float(amount), signed(float(amount), places))
        for group, amount in zip(groups, amounts, strict=True)
    ]
    largest = max(bars, key=lambda bar: abs(bar.amount))
    render.bar_list(
        bars,
        key=key,
        about=f"Influence by layer, {len(bars)} bars; the largest is {largest.name} with {largest.said} nats.",
        legend=[("", "nats:"), ("warm", "towards the token"), ("cool", "away from it")],
        chosen=chosen,
        on_bar=on_layer,
    )
