"""Saliency of the parts of a prompt: the sums over their tokens, so that the parts add up to the prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dashboard.database.prompt_looks import part_of
from dashboard.database.records import PromptPart, PromptToken

KINDS = {"system": "System", "question": "Question", "document": "Document", "scaffold": "Template"}


@dataclass(frozen=True)
class PartSum:
    """`part` is -1 for what no part claims; `amount` is in the unit of the method."""

    part: int
    name: str
    amount: float


def by_part(parts: Sequence[PromptPart], tokens: Sequence[PromptToken], saliency: Mapping[int, float]) -> list[PartSum]:
    """One sum per part, in the order of the prompt; [] where no saliency is known."""
    if not saliency:
        return []
    sums = {part.part: 0.0 for part in parts}
    for token in tokens:
        owner = part_of(parts, token)
        sums[owner] = sums.get(owner, 0.0) + saliency.get(token.position, 0.0)
    names = {part.part: _name(part) for part in parts} | {-1: "Beginning"}
    order = [part.part for part in sorted(parts, key=lambda part: part.start)]
    return [PartSum(part, names[part], sums[part]) for part in ([-1] if -1 in sums else []) + order]


def _name(part: PromptPart) -> str:
    kind = KINDS.get(part.kind, part.kind)
    return f"{kind}: {part.title}" if part.title else kind
