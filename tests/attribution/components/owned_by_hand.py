"""Whose every number of a layer is, written out by name and number, without `units`."""

import re

import torch
from torch import Tensor

from attribution.model.layers import Layer
from attribution.model.tracked import Tracked

Component = tuple[str, int, int]  # kind, depth, number
BIAS = ("bias", 0, 0)


def masks(tracked: Tracked, layer: Layer, n_heads: int, n_kv_heads: int) -> dict[Component, Tensor]:
    """1 where a number of the gradient [n_out, n_in] is a component's."""
    depth = int(re.search(r"\.(\d+)\.", layer.name)[1])
    found: dict[Component, Tensor] = {}

    def own(kind: str, number: int, row: int | None = None, column: int | None = None) -> None:
        of = found.setdefault(BIAS if kind == "bias" else (kind, depth, number), torch.zeros(layer.n_out, layer.n_in))
        if row is not None:
            of[row] += 1
        else:
            of[:, column] += 1

    n_plain = layer.n_in - layer.bias
    leaf = layer.name.split(".")[-1]
    attention = "attn" in layer.name or "attention" in layer.name
    if leaf in ("o_proj", "dense") or (leaf == "c_proj" and attention):
        for column in range(n_plain):
            own("head", column * n_heads // n_plain, column=column)
    elif leaf in ("down_proj", "dense_4h_to_h", "c_proj"):
        for column in range(n_plain):
            own("neuron", column, column=column)
    elif leaf in ("gate_proj", "up_proj", "c_fc", "dense_h_to_4h"):
        for row in range(layer.n_out):
            own("neuron", row, row=row)
    elif leaf == "q_proj":
        for row in range(layer.n_out):
            own("head", row * n_heads // layer.n_out, row=row)
    elif leaf in ("k_proj", "v_proj"):
        for row in range(layer.n_out):
            own("kv_head", row * n_kv_heads // layer.n_out, row=row)
    elif leaf == "c_attn":  # [q | k | v]
        third = layer.n_out // 3
        for row in range(layer.n_out):
            own("head" if row < third else "kv_head", row % third * n_heads // third, row=row)
    elif leaf == "query_key_value":  # of each head its q, k, v
        width = layer.n_out // (3 * n_heads)
        for row in range(layer.n_out):
            own("head" if row % (3 * width) < width else "kv_head", row // (3 * width), row=row)
    else:
        raise AssertionError(layer.name)
    if layer.bias and leaf in ("o_proj", "dense", "down_proj", "dense_4h_to_h", "c_proj"):
        own("bias", 0, column=n_plain)
    return found
