"""What each stage holds in memory, counted from shapes, lengths and the schedule: pure.

Files that are mapped count, though the system may drop their pages: where it has to, they are read again and again.
"""

import math
from collections.abc import Mapping

from attribution.curvature.fit_plan import PASSED, ROWS, SUMMED, TOKENS
from attribution.exact.scores import WAVE
from attribution.passes import room
from attribution.passes.room import NUMBER, bytes_of_document
from attribution.query.settled import HELD
from attribution.schedule import Schedule
from indexer.plan.shapes import Shapes
from indexer.plan.work import Work

WEIGHTS, FACTORS, PASS, BUDGET = "weights", "factors", "a pass", "the budget"
INDEX, CORPUS, REST = "the index", "the documents", "libraries"
OF_DOCUMENT = 100  # bytes of a document that is not read: where it lies, and its numbers
ALONE = 400 << 20  # bytes of a process with its libraries that has opened nothing
PROMPTS_AT_ONCE = 32  # gradients of a prompt that are made side by side
DOCUMENTS = 2048  # of a partition of the corpus pass

Parts = Mapping[str, int]


def bytes_of_token(of: Shapes) -> int:
    """That a pass keeps of a token."""
    read, written = of.numbers_of_token
    return room.bytes_of_token(read, written, of.vocabulary)


def batch_tokens(of: Shapes, schedule: Schedule) -> int:
    """Of a batch, as `Tracked.batch_tokens` has it."""
    read, written = sum(s.n * s.n_in for s in of.linear), sum(s.n * s.n_out for s in of.linear)
    return schedule.batch(read, written, of.vocabulary * bool(of.embedding))


def of_pass(work: Work, schedule: Schedule) -> int:
    """A batch is as long as the memory has it, or one document."""
    of_token = bytes_of_token(work.shapes)
    batch = of_token * min(batch_tokens(work.shapes, schedule), work.n_documents * work.n_tokens)
    return max(round(batch), bytes_of_document(of_token, work.longest))


def of_factors(of: Shapes) -> int:
    return NUMBER * of.factor_numbers


def opened(work: Work) -> dict[str, int]:
    """Model and documents open; of each stage of training one model."""
    return {REST: ALONE, CORPUS: OF_DOCUMENT * work.n_documents, WEIGHTS: work.n_stages * NUMBER * work.shapes.n_params}


def prompts(work: Work) -> Parts:
    n = min(PROMPTS_AT_ONCE, work.n_written) * (work.n_read + work.n_written)
    return {**opened(work), PASS: int(n * bytes_of_token(work.shapes) / 4)}


def sums_of_fit(of: Shapes) -> tuple[int, int]:
    """Of the covariances of all layers, and of their eigenvectors and eigenvalues."""
    covariances = sum(s.n * (s.n_in**2 + s.n_out**2) for s in of.linear)
    turned = sum(s.n * (s.entries + s.n_out**2) + s.n_read * s.n_in**2 for s in of.linear)
    return NUMBER * covariances, NUMBER * turned


def passes_of_fit(of: Shapes, schedule: Schedule) -> tuple[int, int]:
    """Over the documents of the covariances and of the eigenvalues: one for each group of layers that fits."""
    one, other = (math.ceil(each / schedule.share(SUMMED)) for each in sums_of_fit(of))
    return max(1, one), max(1, other)


def fitting(work: Work, schedule: Schedule, n_fitted: int) -> Parts:
    """In a process of its own, which opens the model again."""
    own, of_token = opened(work), bytes_of_token(work.shapes)
    places = min(TOKENS, max(schedule.share(PASSED) // of_token, work.widest), ROWS * work.widest)
    sums = min(schedule.share(SUMMED), max(sums_of_fit(work.shapes)))
    return {
        REST: 2 * own[REST],
        CORPUS: 2 * own[CORPUS],
        WEIGHTS: 2 * own[WEIGHTS],
        PASS: round(of_token * min(places, n_fitted * work.n_tokens)),
        BUDGET: max(sums, NUMBER * work.shapes.looked_up),
    }


def passing_corpus(work: Work, schedule: Schedule, index_bytes: int) -> Parts:
    """A shard of the index is put together before it is written."""
    return {
        **opened(work),
        FACTORS: work.n_stages * of_factors(work.shapes),
        PASS: of_pass(work, schedule),
        INDEX: 2 * index_bytes * min(DOCUMENTS, work.n_documents),
    }


def scoring(work: Work, schedule: Schedule, index_bytes: int, documents: float, queries: float) -> Parts:
    """Passes of the documents that are read and directions, each within its part of the budget; the index mapped, one
    number for each token and document."""
    read, written = work.shapes.numbers_of_token
    passes = NUMBER * documents * work.n_tokens * (read + written + work.shapes.vocabulary)
    directions = NUMBER * queries * (work.shapes.entries + work.shapes.looked_up)
    return {
        **opened(work),
        FACTORS: work.n_stages * of_factors(work.shapes),
        PASS: of_pass(work, schedule),
        BUDGET: min(schedule.share(WAVE), round(passes)) + min(schedule.share(HELD), round(directions)),
        INDEX: work.n_documents * (NUMBER * round(work.n_written) + 40) + min(index_bytes * work.n_documents, 1 << 30),
    }
