"""Which method should be the default, for which question: decided by the figures alone. Pure."""

from collections.abc import Mapping, Sequence

from indexer.evaluate.statistics.figures import Figure

# question -> the figure that answers it, and how far each method lies behind the first
QUESTIONS = {
    "best for influence": ("lds_without_self", "lds_behind"),
    "best for where it says so": ("mrr", "mrr_behind"),
}
REFERENCES = ("random", "another seed", "ceiling")  # no candidates
APART, NONE = "not told apart from it: ", "none"
PART = ", "  # in the name of what only an evaluation computes: some of the layers, another damping, another basis


def is_candidate(method: str) -> bool:
    """Whether a build can store it."""
    return method not in REFERENCES and PART not in method


def leader(values: Mapping[str, float]) -> str:
    """The candidate of the highest value; "" where there is none.    values: method -> value"""
    return max((method for method in values if is_candidate(method)), key=lambda method: values[method], default="")


def best(figures: Sequence[Figure]) -> list[Figure]:
    """For each question the method with the highest figure, as a figure of its own that says what stands close.

    Only what a build can store is a candidate. Methods whose paired difference from the first may be 0 are named: on
    these data they are not told apart from it.
    """
    found = []
    for question, (metric, behind) in QUESTIONS.items():
        asked = sorted((each for each in figures if each.metric == metric), key=lambda each: -each.value)
        candidates = [each for each in asked if is_candidate(each.method)]
        lag = {each.method: each for each in figures if each.metric == behind}
        if candidates:
            first = candidates[0]
            close = [each.method for each in candidates[1:] if _close(each, first, lag.get(each.method))]
            how = f"highest {metric} of {len(candidates)} methods; {APART}{', '.join(close) or NONE}"
            found.append(Figure(first.method, question, first.value, first.low, first.high, first.n, how))
    return found


def close_to(how: str) -> list[str]:
    """The methods that `best` could not tell apart from the one that it names.    how: of its figure"""
    names = how.partition(APART)[2]
    return [] if names in ("", NONE) else names.split(PART)


def _close(of: Figure, first: Figure, behind: Figure | None) -> bool:
    """Whether it may be as good; by its own interval where no difference was taken, and where none is known, it may."""
    if behind is not None:
        return behind.low is None or behind.low <= 0
    return of.high is None or of.high >= first.value
