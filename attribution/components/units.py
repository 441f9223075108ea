"""The components of a model, and which rows and columns of its layers belong to them.

Query head h owns its rows of q and its columns of o; a key–value head, which several query heads may share, its rows
of k and v; neuron j its row of gate and up and its column of down. The biases of q, k, v, gate and up go with their
rows; those of o and down are no component's: they are counted together. So every number of a layer has one owner.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from attribution.components.layouts import LAYOUTS, halves, layout_that_fits
from attribution.exact.owned import Owned, Owners
from attribution.model.layers import Layer
from attribution.model.tracked import Tracked

HEAD, KV_HEAD, NEURON, BIAS = "head", "kv_head", "neuron", "bias"
KINDS = (HEAD, KV_HEAD, NEURON, BIAS)

# what a layer is, by its kind and the last part of its name
ROLES = {
    "attention": {
        **{"q_proj": "q", "k_proj": "k", "v_proj": "v"},
        **dict.fromkeys(("c_attn", "query_key_value", "qkv_proj"), "qkv"),
        **dict.fromkeys(("o_proj", "out_proj", "dense", "c_proj"), "o"),
    },
    "mlp": {
        **{"gate_proj": "gate", "gate_up_proj": "gate_up"},
        **dict.fromkeys(("up_proj", "c_fc", "fc1", "fc_in", "dense_h_to_4h"), "up"),
        **dict.fromkeys(("down_proj", "c_proj", "fc2", "fc_out", "dense_4h_to_h"), "down"),
    },
}
WHOLE = [  # the roles of a block that can be split
    frozenset((*attention, *mlp))
    for attention in (("q", "k", "v", "o"), ("qkv", "o"))
    for mlp in (("gate", "up", "down"), ("up", "down"), ("gate_up", "down"))
]

Block = Mapping[str, Layer]  # by role


@dataclass(frozen=True)
class NotSplit:
    """A model whose layers stay whole."""

    reason: str  # one line


@dataclass(frozen=True)
class Units:
    """The components are numbered through: all heads, depth-major, then all key–value heads, all neurons, the bias."""

    n_blocks: int
    n_heads: int  # of a block
    n_kv_heads: int  # of a block
    head_width: int  # what a head writes into the input of o
    n_neurons: int  # of a block
    gated: bool
    heads_into: tuple[str, ...]  # of each block, the module whose input is what all heads wrote, side by side
    neurons_into: tuple[str, ...]  # the module whose input is the neurons' activations
    owners: tuple[Owners, ...]  # in the order of `tracked.linear`

    @property
    def heads(self) -> slice:
        return slice(0, self.n_blocks * self.n_heads)

    @property
    def kv_heads(self) -> slice:
        return slice(self.heads.stop, self.heads.stop + self.n_blocks * self.n_kv_heads)

    @property
    def neurons(self) -> slice:
        return slice(self.kv_heads.stop, self.kv_heads.stop + self.n_blocks * self.n_neurons)

    @property
    def bias(self) -> int:
        """The last one: all biases of o and down."""
        return int(self.neurons.stop)

    @property
    def n(self) -> int:
        return self.bias + 1

    @property
    def owned(self) -> Owned:
        """What belongs to which of them."""
        return Owned(self.n, self.owners)

    def kv_head_of(self, head: int) -> int:
        """The key–value head of its block that a query head reads."""
        return head // (self.n_heads // self.n_kv_heads)


def units(tracked: Tracked) -> Units | NotSplit:
    """Found from the names and shapes of the layers; how a fused layer is laid out is measured on a short text."""
    if tracked.loaded.trained is not None:
        return NotSplit("an adapter's matrices alone are explained, which belong to no head or neuron")
    found = _blocks(tracked.linear)
    if isinstance(found, NotSplit):
        return found
    said = getattr(tracked.loaded.settings, "num_attention_heads", None)
    sizes = _sizes(found, said) if isinstance(said, int) else NotSplit("its settings give no one number of heads")
    if isinstance(sizes, NotSplit):
        return sizes
    n_heads, n_kv_heads, width, n_neurons = sizes
    units = Units(
        *(len(found), n_heads, n_kv_heads, width, n_neurons),
        gated="up" not in found[0] or "gate" in found[0],
        heads_into=tuple(block["o"].name for block in found),
        neurons_into=tuple(block["down"].name for block in found),
        owners=(),
    )
    rows = {}
    if "qkv" in found[0]:
        fits = layout_that_fits(tracked, found[0]["qkv"].name, found[0]["o"].name, n_heads, n_kv_heads, width)
        if fits is None:
            return NotSplit(f"how heads lie in {_pattern(found[0]['qkv'].name)} is not known")
        rows["qkv"] = LAYOUTS[fits](n_heads, n_kv_heads, width)
    if "gate_up" in found[0]:
        if not halves(tracked, found[0]["gate_up"].name, found[0]["down"].name):
            return NotSplit(f"how neurons lie in {_pattern(found[0]['gate_up'].name)} is not known")
        rows["gate_up"] = np.tile(np.arange(n_neurons), 2)
    return _with_owners(units, found, rows, len(tracked.linear))


def _blocks(linear: Sequence[Layer]) -> list[Block] | NotSplit:
    """By depth."""
    found: list[dict[str, Layer]] = [{} for _ in range(1 + max(layer.depth for layer in linear))]
    for layer in linear:
        if "expert" in layer.name:
            return NotSplit("its MLPs are mixtures of experts")
        role = ROLES[layer.kind].get(layer.name.rpartition(".")[2])
        if role is None or role in found[layer.depth] or not re.search(r"\.\d+\.", layer.name):
            return NotSplit(f"{_pattern(layer.name)} is no known part of attention or an MLP")
        found[layer.depth][role] = layer
    for depth, block in enumerate(found):
        if frozenset(block) not in WHOLE:
            listed = ", ".join(sorted(block)) or "none"
            return NotSplit(f"not all layers of block {depth} are explained, only {listed}")
    return [*found]


def _sizes(blocks: Sequence[Block], n_heads: int) -> tuple[int, int, int, int] | NotSplit:
    """Heads, key–value heads, width of a head, neurons; the same in every block."""
    found = set()
    for depth, block in enumerate(blocks):
        read, n_neurons = _plain_in(block["o"]), _plain_in(block["down"])
        width = max(1, read // n_heads)
        keys = block["k"].n_out if "k" in block else (block["qkv"].n_out - read) // 2
        n_kv_heads = keys // width
        fits = [
            n_heads * width == read,
            n_kv_heads * width == keys and n_kv_heads > 0 and n_heads % n_kv_heads == 0,
            ("qkv" in block and block["qkv"].n_out == read + 2 * keys)
            or ("q" in block and block["q"].n_out == read and block["v"].n_out == keys),
            all(block[role].n_out == n_neurons for role in ("gate", "up") if role in block),
            "gate_up" not in block or block["gate_up"].n_out == 2 * n_neurons,
        ]
        if not all(fits):
            return NotSplit(f"the layers of block {depth} are not those of {n_heads} heads and an MLP")
        found.add((n_heads, n_kv_heads, width, n_neurons, frozenset(block)))
    if len(found) > 1:
        return NotSplit("its blocks differ in heads or neurons")
    [(*sizes, _)] = found
    return sizes[0], sizes[1], sizes[2], sizes[3]


def _with_owners(units: Units, blocks: Sequence[Block], fused: Mapping[str, NDArray[np.int64]], n: int) -> Units:
    """fused: of the rows of each fused layer, the component of its block, heads before key–value heads."""
    H, KV, N = units.n_heads, units.n_kv_heads, units.n_neurons
    heads, keys = np.repeat(np.arange(H), units.head_width), np.repeat(np.arange(KV), units.head_width)
    owners: list[Owners | None] = [None] * n
    for depth, block in enumerate(blocks):
        first_head, first_key = depth * H, units.kv_heads.start + depth * KV
        first_neuron = units.neurons.start + depth * N
        neurons = first_neuron + np.arange(N)
        of = {
            "q": first_head + heads,
            "k": first_key + keys,
            "v": first_key + keys,
            "o": first_head + heads,
            "gate": neurons,
            "up": neurons,
            "down": neurons,
        }
        if "qkv" in fused:
            own = fused["qkv"]
            of["qkv"] = np.where(own < H, first_head + own, first_key + own - H)
        if "gate_up" in fused:
            of["gate_up"] = first_neuron + fused["gate_up"]
        for role, layer in block.items():
            by_rows = role not in ("o", "down")
            bias = [] if by_rows or not layer.bias else [units.bias]
            owners[layer.index] = Owners(by_rows, np.append(of[role], bias).astype(np.int64))
    return Units(**{**vars(units), "owners": tuple(own for own in owners if own is not None)})


def _plain_in(layer: Layer) -> int:
    """Of the input, without the 1 of a bias."""
    return layer.n_in - layer.bias


def _pattern(name: str) -> str:
    return re.sub(r"\.\d+\.", ".*.", name)
