"""What the suffix arrays over the corpus take, which all sizes share that read it alike: pure."""

from collections.abc import Mapping

from indexer.plan.memory import opened
from indexer.plan.work import Work
from indexer.verbatim.arrays import TOKENS

SORTED = 1e6  # tokens in a second whose suffixes are sorted, in an array of TOKENS
ANSWERED = 0.002  # seconds of one array until the spans of an answer are found in it
PLACE = 4  # bytes of a place
ROW = 40  # bytes of a span or a place in the database
SPANS, PLACES = 0.2, 5  # of each generated token, and of each span, about


def seconds(work: Work) -> float:
    tokens = work.n_documents * work.n_tokens
    n_arrays = work.n_stages * max(1.0, tokens / TOKENS)
    return tokens / SORTED + work.n_prompts * n_arrays * ANSWERED


def memory(work: Work) -> Mapping[str, int]:
    """Of one array while its bytes are sorted: their order, and that of the tokens."""
    tokens = min(TOKENS, int(work.n_documents * work.n_tokens))
    stored, sorted_ = _bytes(work)
    return {**opened(work), "suffix arrays": tokens * (2 * stored + (1 + PLACE) * sorted_ + PLACE)}


def disk(work: Work) -> int:
    tokens = int(work.n_documents * work.n_tokens)
    return tokens * (_bytes(work)[0] + PLACE) + int(work.n_queries * SPANS * (1 + PLACES) * ROW)


def _bytes(work: Work) -> tuple[int, int]:
    """Of a token as it is stored, and as it is sorted."""
    return (2, 2) if work.shapes.vocabulary < 1 << 16 else (4, 3)
