"""A size as its components, where it can be split."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from attribution.components.stream import Stream, find_stream
from attribution.components.units import NotSplit, Units, units
from indexer.size.member import Member


@dataclass(frozen=True)
class Split:
    """Both may be the reason why there are none: `NotSplit`."""

    member: Member
    units: Units | NotSplit
    stream: Stream | NotSplit

    @property
    def notice(self) -> str:
        """Why the model cannot be split, or cannot be followed to its logits; "" where it can."""
        return next((of.reason for of in (self.units, self.stream) if isinstance(of, NotSplit)), "")

    @property
    def whole(self) -> Units | None:
        """The components, where there are any."""
        return None if isinstance(self.units, NotSplit) else self.units

    def columns(self) -> Mapping[str, list[Any]]:
        """Of `component_model`."""
        of = self.units
        sizes = ("n_heads", "n_kv_heads", "n_neurons", "head_width")
        known = {name: [None if isinstance(of, NotSplit) else getattr(of, name)] for name in sizes}
        return {"model_id": [self.member.loaded.weights_hash], **known, "notice": [self.notice]}


def split(member: Member) -> Split:
    """Two short passes, without anything of the corpus."""
    found = units(member.tracked)
    return Split(member, found, find_stream(member.tracked, found))
