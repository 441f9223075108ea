"""Layers as bars: they add up to the total, and many are drawn block by block."""

import numpy as np
import pytest

from dashboard.database.layer_groups import group_named, layer_groups
from dashboard.database.records import Layer
from dashboard.widgets.layer_bars import MOST, layer_bars

MODULES = ("attention", "attention", "mlp", "mlp", "mlp")


def layers(n_blocks: int) -> list[Layer]:
    named = [(kind, block) for block in range(n_blocks) for kind in MODULES] + [("embedding", n_blocks)]
    return [Layer(i, f"layer {i}", kind, depth) for i, (kind, depth) in enumerate(named)]


@pytest.mark.parametrize("n_blocks", [2, 30])
def test_input_47_deep_models_are_drawn_by_block_and_add_up(n_blocks: int) -> None:
    groups = layer_groups(layers(n_blocks))
    amounts = np.random.default_rng(0).normal(size=len(MODULES) * n_blocks + 1)
    bars = layer_bars(groups, amounts)
    assert len(bars) <= max(MOST, n_blocks + 1)
    assert sum(bar.amount for bar in bars) == pytest.approx(amounts.sum())
    deep = n_blocks > MOST // 2
    assert [bar.key for bar in bars[:2]] == (["block-0", "block-1"] if deep else ["attention-0", "mlp-0"])
    assert bars[-1].key == "embedding" and not bars[-1].parts
    for bar in bars[:-1]:
        assert len(bar.parts) == (2 if deep else 0)
        assert not deep or sum(part.amount for part in bar.parts) == pytest.approx(bar.amount)


def test_a_block_is_a_group_of_layers_to_rank_by() -> None:
    groups = layer_groups(layers(3))
    block = group_named(groups, "block-1")
    assert block is not None and block.members == (5, 6, 7, 8, 9) and block.label == "Block 1"
    one = group_named(groups, "mlp-2")
    assert one is not None and one.members == (12, 13, 14)
    assert group_named(groups, "block-3") is None and group_named(groups, "") is None
