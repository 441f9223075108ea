"""What heads and neurons did for every token of one answer: for `build`, which stores it, and for `ask`."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from attribution.components.attended import attended
from attribution.components.direct import Direct, direct
from attribution.components.lens import Lens, lens
from attribution.components.measured import Measured, measure_components
from attribution.components.reading import read, read_states
from attribution.components.stream import last_norm
from attribution.components.taught import strongest
from attribution.components.total import Total, total
from attribution.components.units import NotSplit
from indexer.inside.components import Within
from indexer.inside.split import Split
from indexer.size.answers import Answer
from indexer.size.foil import held_foil_of

Numbers = NDArray[np.floating]


@dataclass(frozen=True)
class Attention:
    """Of one head, where one token is decided."""

    position: int
    depth: int
    head: int
    weights: Numbers  # [S] over prompt and answer before the token


@dataclass(frozen=True)
class Inside:
    """Of K tokens; None where the model cannot be split."""

    lens: Lens | None
    direct: Direct | None = None
    against: str = ""  # text of the foil that `direct` is against
    total: Total | None = None
    neurons: list[NDArray[np.int64]] = field(default_factory=list)  # of each token, those that are kept
    measured: Measured | None = None
    attention: tuple[Attention, ...] = ()


def inside(of: Within, answer: Answer, tick: Callable[[], None] = lambda: None) -> Inside:
    """All that the configuration asks for; `tick` is called now and then."""
    split, baseline = of.split, of.baseline
    tracked, settings = split.member.tracked, split.member.config.inside
    ids, first = answer.ids, answer.first
    units, stream = split.units, split.stream
    if isinstance(units, NotSplit) or isinstance(stream, NotSplit) or baseline is None:
        norm = last_norm(tracked)
        return Inside(None if norm is None else lens(tracked, read_states(tracked, ids, first), norm))
    reading = read(tracked, units, stream, ids, first, graph=True)
    foil = held_foil_of(answer, split.member.loaded)
    token = None if foil is None or foil.span is not None else foil.token
    written = direct(tracked, units, stream, reading, None if token is None else [token] * answer.n_targets)
    effects = total(tracked, units, reading, baseline)
    kept = [strongest(each.reshape(-1), settings.neurons) for each in effects.neurons]
    seen = lens(tracked, reading, stream.final)
    measured = None
    if settings.measured:
        chosen = far_apart(answer.n_targets, settings.measured)
        measured = measure_components(
            tracked,
            units,
            ids,
            first,
            effects,
            baseline,
            positions=chosen,
            every_head=settings.heads,
            tick=lambda _n: tick(),
        )
    return Inside(
        seen,
        written,
        "" if token is None else split.member.words[token],
        effects,
        kept,
        measured,
        _attention(split, answer, effects, settings.attention),
    )


def far_apart(n: int, most: int) -> list[int]:
    """At most so many of n positions, the first one among them, as far apart as they can be."""
    if n <= most:
        return list(range(n))
    return sorted({round(i * (n - 1) / max(1, most - 1)) for i in range(most)})


def _attention(split: Split, answer: Answer, effects: Total, most: int) -> tuple[Attention, ...]:
    """Of the `most` heads of largest total effect of each token, in the model's order."""
    weights = attended(split.member.tracked, answer.ids, answer.first) if most else None
    if weights is None or isinstance(weights, NotSplit):
        return ()
    n_heads, found = effects.heads.shape[2], []
    for k, of in enumerate(effects.heads):
        largest = np.argsort(-np.abs(of).reshape(-1), kind="stable")[:most]
        for i in sorted(largest.tolist()):
            depth, head = divmod(i, n_heads)
            found.append(Attention(k, depth, head, weights[k, depth, head, : answer.first + k]))
    return tuple(found)
