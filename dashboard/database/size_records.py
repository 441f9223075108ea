"""What the questions about the sizes of a family are answered with."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """One answer to a prompt of which the expected one is known. start, stop: characters of the answer that are the
    expected one; (0, 0) where it is wrong."""

    generation_id: str
    prompt_id: str
    model_id: str
    right: bool
    start: int
    stop: int


@dataclass(frozen=True)
class SizeTrend:
    """A size over the prompts with an expected answer that all sizes of its family and stage answered.

    right: share of right answers; chance: mean probability of the expected answer over the n_chance prompts that any
    size answered rightly, so that it was read by all; led: share of answers whose most helpful document says the
    expected answer. None: not known.
    """

    name: str
    n_params: int
    n_prompts: int
    right: float
    chance: float | None
    n_chance: int
    led: float | None
