"""EDGE: whether the factors of a mixture's experts, and the longest document, fit into this machine: told before
anything is computed."""

from collections.abc import Callable

import torch

from attribution.errors import BadInput
from attribution.machine import whole_memory
from attribution.model.tracked import Tracked
from attribution.passes.batches import Shapes
from attribution.passes.room import bytes_of_document, bytes_of_token

MOST = 0.5  # of memory: what else is computed needs some, too


def check_room(tracked: Tracked) -> None:
    """Raises BadInput for experts whose factors are larger than half of the memory: each has some of its own."""
    experts = [layer for layer in tracked.linear if ".experts." in layer.name]
    needed = 4 * sum(of.n_in**2 + of.n_out**2 + of.n_in * of.n_out for of in experts)
    there = whole_memory()
    if experts and needed > MOST * there:
        raise BadInput(
            f"expected at most {MOST * there / 1e9:.0f} GB of factors of experts, found {needed / 1e9:.0f} GB of "
            f"{len(experts):,} layers; set [[model]] experts = false, or name some in [factors] layers"
        )


def check_longest(tracked: Tracked, shapes: Shapes, name: Callable[[int], str]) -> None:
    """Raises BadInput for a document of which a pass takes more than the memory: its windows stand in one pass.

    shapes: of all documents  [D, 3]   name: of one
    """
    places = shapes[:, 1:].prod(axis=1, dtype="int64")
    longest = int(places.argmax())
    read = sum(layer.n_in for layer in tracked.linear if not layer.reads_on)
    of_token = bytes_of_token(read, sum(layer.n_out for layer in tracked.linear), tracked.n_rows)
    needed, there = bytes_of_document(of_token, int(places[longest])), _memory(tracked.device)
    if needed > there:
        raise BadInput(
            f"expected documents of which a pass takes at most {there / 1e9:.0f} GB, the memory of this machine, found "
            f"{name(longest)!r} of {places[longest]:,} tokens, some {needed / 1e9:.0f} GB; split it into several, or "
            'set [corpus] long = "cut"'
        )


def _memory(device: torch.device) -> int:
    return int(torch.cuda.mem_get_info(device)[1]) if device.type == "cuda" else whole_memory()
