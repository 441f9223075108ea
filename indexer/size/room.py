"""EDGE: whether the factors of a mixture's experts fit into this machine: told before anything is computed."""

from attribution.errors import BadInput
from attribution.machine import whole_memory
from attribution.model.tracked import Tracked

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
