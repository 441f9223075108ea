"""A component of a model by its name: kind, depth of its block and number in it, from 0. Pure.

As an address spells it: head:3.5, kv_head:3.1, neuron:2.117; as a reader sees it: head 3.5, key–value head 3.1.
"""

import re
from dataclasses import dataclass

KINDS = {"head": "head", "kv_head": "key–value head", "neuron": "neuron"}
_SPELLED = re.compile(rf"({'|'.join(KINDS)}):(0|[1-9]\d{{0,5}})\.(0|[1-9]\d{{0,5}})", re.ASCII)


@dataclass(frozen=True, order=True)
class Component:
    """One of KINDS; depth, number: from 0."""

    kind: str
    depth: int
    number: int

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.depth}.{self.number}"

    @property
    def name(self) -> str:
        return f"{KINDS[self.kind]} {self.depth}.{self.number}"


def component_named(key: str) -> Component | None:
    """What the address spells; None for all else."""
    found = _SPELLED.fullmatch(key)
    return Component(found[1], int(found[2]), int(found[3])) if found else None
