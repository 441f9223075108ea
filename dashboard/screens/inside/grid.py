"""The grid of blocks by heads and groups of neurons, and what it adds up to."""

import streamlit as st

from dashboard.address.bar import choose
from dashboard.address.choices import EFFECTS
from dashboard.address.selection import Selection
from dashboard.database.components.amounts import Amounts
from dashboard.database.components.name import Component
from dashboard.database.components.records import Split
from dashboard.drawing import render
from dashboard.drawing.numbers import counted, decimals, plain, signed
from dashboard.drawing.part_grid import part_grid
from dashboard.drawing.shading import robust_top
from dashboard.drawing.shapes import GridCell, GridGroup, Legend
from dashboard.screens.inside.view import View
from dashboard.widgets import controls
from dashboard.widgets.heading import panel

SAYS = {
    "total": "To first order: gradient × (activation − baseline), summed over positions: what the token's log p would "
    "lose if the part were replaced by its baseline, the mean over the corpus (or zero, where the build asks for it).",
    "direct": "What each part writes to the token's logit, with the scale of the final norm as it was: an exact sum.",
    "measured": "What the token's log p really lost when the part was replaced by its baseline. All heads were, where "
    "the model has few; else the strongest parts, and some random ones.",
    "taught": "What documents did for the token through the weights of each part. The preconditioner mixes the heads "
    "of a layer: a share says what passes through a head's weights, not that it learned this alone.",
}
UNKNOWN = {"measured": "was not replaced"}
NONE_KEPT = "none is kept"
NOT_STORED = {
    "total": "Total effects are not stored for these tokens.",
    "direct": "Direct contributions are not stored for these tokens.",
    "measured": "Nothing was replaced in these tokens: a build measures some tokens of each answer.",
    "taught": "Training influence is not stored by part for these tokens.",
}
COLUMNS = ("all", "kept", "rest")  # groups of the neurons of a block


def show_grid(found: View, split: Split, selection: Selection) -> None:
    """The switch, the grid, and the sums below it."""
    panel("Heads and neurons", "What each part of the model adds to the chosen tokens: not what the part is for.")
    controls.switch("effect", {name: EFFECTS[name] for name in EFFECTS if name in found.amounts}, shown=found.effect)
    amounts = found.shown
    if amounts is None:
        st.caption("Nothing is computed for these tokens.")
        return
    if selection.effect != found.effect:
        st.caption(NOT_STORED[selection.effect])
    st.caption(SAYS[found.effect])
    groups, top = grid_groups(amounts, split, found.effect)
    part_grid(
        groups,
        [f"Block {depth}" for depth in range(split.n_blocks)],
        key="grid",
        about=f"{EFFECTS[found.effect]} of each head and of the neurons of each block, {amounts.unit}",
        legend=Legend(f"{amounts.unit.capitalize()}:", f"−{plain(top)}", f"+{plain(top)}", signed=True),
        unknown=UNKNOWN.get(found.effect, NONE_KEPT),
        chosen=found.component.key if found.component else "",
        on_part=lambda key: choose(component="" if key == selection.component else key),
    )
    render.prose(("note", _sums(found, amounts)))


def grid_groups(amounts: Amounts, split: Split, effect: str) -> tuple[list[GridGroup], float]:
    """Heads, key–value heads where they have amounts of their own, and neurons; and the amount at full colour."""
    neurons = [_neurons(amounts, depth) for depth in range(split.n_blocks)]
    shown = [value for each, value in amounts.parts.items() if each.kind != "neuron"]
    top = robust_top([abs(value) for value in [*shown, *(each for row in neurons for each in row if each is not None)]])
    places = decimals([top])

    def cell(key: str, name: str, value: float | None, known: str = "") -> GridCell:
        if value is None:
            return GridCell(key, name, None, UNKNOWN.get(effect, NONE_KEPT))
        said = f"{signed(value, places)} {amounts.unit}{known}"
        return GridCell(key, name, max(-1.0, min(1.0, value / top)), said, signed(value, places))

    def heads(kind: str, title: str) -> GridGroup:
        width = split.width(kind)
        rows = [[Component(kind, depth, number) for number in range(width)] for depth in range(split.n_blocks)]
        cells = [[cell(each.key, each.name, amounts.parts.get(each)) for each in row] for row in rows]
        return GridGroup(title, [str(number) for number in range(width)], cells)

    groups = [heads("head", "Attention heads")]
    if amounts.of("kv_head"):
        groups.append(heads("kv_head", "Key–value heads"))
    if amounts.mlp and any(value is not None for row in neurons for value in row):
        names = ("MLP {}, all neurons", "MLP {}, the neurons that are kept", "MLP {}, the other neurons")
        cells = [
            [cell("", name.format(depth), value) for name, value in zip(names, row, strict=True)]
            for depth, row in enumerate(neurons)
        ]
        groups.append(GridGroup("Neurons", list(COLUMNS), cells))
    return groups, top


def _neurons(amounts: Amounts, depth: int) -> tuple[float | None, float | None, float | None]:
    """All neurons of a block, those that are kept, the others."""
    whole, kept = amounts.mlp.get(depth), amounts.neurons_of(depth)
    rest = whole if kept is None else None if whole is None else whole - kept
    return whole, kept, rest


def _sums(found: View, amounts: Amounts) -> str:
    """What is shown, in one sentence; of the exact sums, all of their parts."""
    if found.effect == "measured":
        replaced = [counted(len(amounts.of(kind)), kind) for kind in ("head", "neuron")]
        over = f" in one or more of the {found.width:,} tokens, and summed" if found.width > 1 else ""
        return f"{' and '.join(replaced)} were replaced, one at a time{over}."
    heads, kv_heads = (sum(amounts.of(kind).values()) for kind in ("head", "kv_head"))
    named = {"heads": heads} | ({"key–value heads": kv_heads} if amounts.of("kv_head") else {})
    if found.effect == "taught":
        named["kept neurons"] = sum(amounts.of("neuron").values())
    elif amounts.mlp:
        named["neurons"] = sum(amounts.mlp.values())
    elif amounts.of("neuron"):
        named["neurons"] = sum(amounts.of("neuron").values())
    named |= {name: value for name, value in amounts.others.items() if value}  # few models have biases
    places = decimals([*named.values(), amounts.total or 0.0])
    said = ", ".join(f"{name} {signed(value, places)}" for name, value in named.items())
    over = f"Summed over {found.width:,} tokens: " if found.width > 1 else ""
    if found.effect == "taught":
        n = len(found.helpful)
        most = f"the {n} most helpful documents" if n > 1 else "the most helpful document"
        which = "the chosen document" if found.document else most
        over = f"Of {which}{f', summed over {found.width:,} tokens' if found.width > 1 else ''}: "
    if amounts.total is None:
        return _begun(f"{over}{said} {amounts.unit}.")
    against = f", the logit of the token less that of “{found.against.strip()}”" if found.against else ""
    return _begun(f"{over}{said}; {signed(amounts.total, places)} {amounts.unit} in all{against}.")


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
