"""A saliency method's record, and the list of all: names, labels and costs for whoever asks, without torch.

Each lies in a file of its own in `attribution/prompt/saliency/methods`; `saliency.py` computes them.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from attribution.errors import BadInput
from attribution.records import records

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

    from attribution.prompt.saliency.given import Given

HOME = "attribution.prompt.saliency.methods"


@dataclass(frozen=True)
class Method:
    """One map from answer tokens to earlier tokens.

    `scores(given)` gives [K, S], what each of S sources did for each of K answer tokens, and [K], what a row must sum
    to, or None where nothing must; imports torch inside, since the list of methods is read without it.
    """

    name: str  # in the configuration, in requests and in the table `saliency`
    label: str  # on pages
    note: str  # what to know of it, in one line
    cost: str  # of one answer, in words
    order: int  # on pages, where the first that is known is shown first
    scores: "Callable[[Given], tuple[Tensor, Tensor | None]] | None"  # None: it comes with another step, as MIRAGE does
    applies: "Callable[[PreTrainedModel], bool]" = lambda _model: True  # whether a model can be asked for it
    signed: bool = True  # positive pushed towards the token, negative away from it; else never negative
    explains: bool = True  # False: it shows where the model looked, and nothing about why
    complete: bool = False  # its scores sum to a change of the number explained, and the gap is stored
    absent: bool = False  # it puts tokens out of sight, and says what stands for them
    slow: bool = False  # more than a pass for each answer token: offered first, for builds seldom store it
    on_demand: bool = True  # offered on the page where it is not stored
    cue: int = 0  # its place, from 1, among the maps that citations of an answer may be read from; 0: none


@cache
def methods() -> dict[str, Method]:
    """Every record by its name, in the order of pages."""
    return records(HOME, Method)


@cache
def computed() -> dict[str, Method]:
    """Those that a configuration or a request may name."""
    return {name: each for name, each in methods().items() if each.scores is not None}


def check_methods(names: Iterable[str]) -> None:
    """Raises BadInput for one that is not computed; whoever is asked for some says so before all else."""
    for name in names:
        if name not in computed():
            raise BadInput(f"expected a saliency method of {', '.join(computed())}, found {name!r}; choose one")


@cache
def on_demand() -> tuple[str, ...]:
    """Names of those that a page offers to compute: the slow ones first, which builds seldom store."""
    offered = [each for each in computed().values() if each.on_demand]
    return tuple(each.name for each in sorted(offered, key=lambda each: not each.slow))


@cache
def cues() -> tuple[str, ...]:
    """Names of the maps that citations may be read from, the best first."""
    return tuple(each.name for each in sorted(methods().values(), key=lambda each: each.cue) if each.cue)


def label(name: str) -> str:
    """As a page names it; a map of an unknown method stands as it is stored."""
    known = methods().get(name)
    return known.label if known else name
