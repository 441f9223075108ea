"""Which method should be the default, for which question: decided by the figures alone. Pure."""

from collections.abc import Sequence

from indexer.evaluate.statistics.figures import Figure

# question -> the figure that answers it, and methods that are no candidates: they are references
QUESTIONS = {"best for influence": "lds_without_self", "best for where it says so": "mrr"}
REFERENCES = ("random", "another seed")
PART = ", "  # in the name of what only an evaluation computes: some of the layers, another damping, another basis


def best(figures: Sequence[Figure]) -> list[Figure]:
    """For each question the method with the highest figure, as a figure of its own that says what stands close.

    Only what a build can store is a candidate. Methods whose interval reaches the best one's value are named: on these
    data they are not told apart.
    """
    found = []
    for question, metric in QUESTIONS.items():
        asked = sorted((each for each in figures if each.metric == metric), key=lambda each: -each.value)
        candidates = [each for each in asked if each.method not in REFERENCES and PART not in each.method]
        if candidates:
            first = candidates[0]
            close = [each.method for each in candidates[1:] if each.high is not None and each.high >= first.value]
            how = f"highest {metric} of {len(candidates)} methods; not told apart from it: {', '.join(close) or 'none'}"
            found.append(Figure(first.method, question, first.value, first.low, first.high, first.n, how))
    return found
