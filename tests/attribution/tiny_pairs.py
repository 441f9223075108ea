"""Preference pairs of a tiny model, and their loss written out with the reference model in it."""

from dataclasses import replace

import torch
from torch import Tensor

from attribution.model.tracked import Tracked
from attribution.passes.batches import Row
from attribution.passes.margins import margins
from attribution.passes.preference import Preference
from tests.attribution import tiny

BETA = 0.7


def unweighted(n: int = 4, seed: int = 5) -> list[Row]:
    """Two windows each: a prompt of 1 to 3 ids with one answer and with another, the answers learned."""
    generator = torch.Generator().manual_seed(seed)

    def ids(least: int, most: int) -> list[int]:
        length = least + int(torch.randint(most - least + 1, (1,), generator=generator))
        return torch.randint(tiny.V, (length,), generator=generator).tolist()

    made = []
    for _ in range(n):
        prompt, chosen, rejected = ids(1, 3), ids(1, 5), ids(1, 5)
        first = len(prompt) + len(chosen)
        learned = ((len(prompt), first), (first + len(prompt), first + len(prompt) + len(rejected)))
        both = (*prompt, *chosen, *prompt, *rejected)
        made.append(Row(both, learned=learned, windows=(first, len(both) - first)))
    return made


def pairs(asked: Tracked, reference: Tracked, n: int = 4, seed: int = 5, beta: float = BETA) -> list[Row]:
    """The same, with what the two models make of them."""
    rows = unweighted(n, seed)
    found = margins(asked, reference, rows)
    return [replace(row, preference=Preference(beta, float(m))) for row, m in zip(rows, found, strict=True)]


def loss(tracked: Tracked, moving: dict[str, Tensor], reference: Tracked, pair: Row, beta: float = BETA) -> Tensor:
    """−log σ(β Δ) with both models run anew."""
    chosen, rejected = pair.rows()
    with torch.no_grad():
        before = tiny.parameters(reference)
        fixed = tiny.loss(reference, before, rejected) - tiny.loss(reference, before, chosen)
    now = tiny.loss(tracked, moving, rejected) - tiny.loss(tracked, moving, chosen)
    return -torch.nn.functional.logsigmoid(beta * (now - fixed))


def gradient(tracked: Tracked, reference: Tracked, pair: Row, beta: float = BETA) -> tuple[Tensor, ...]:
    return tiny.gradient(tracked, lambda moving: loss(tracked, moving, reference, pair, beta))
