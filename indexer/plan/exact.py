"""Seconds of the exact scores of some generated tokens, and of where in their documents they come from: pure.

A part of the influence stage reads its documents once; where a wave of passes does not hold them all, the directions
are formed for each wave.
"""

import math

from attribution.exact.scores import WAVE
from attribution.passes.room import NUMBER
from attribution.query.settled import HELD
from attribution.schedule import Schedule
from indexer.config.config import Config
from indexer.plan import work as takes
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work
from indexer.tracing.answer_parts import SIZE, TOKENS
from indexer.tracing.candidates import N_RANDOM

EACH = 2.25  # documents that the index proposes for a token, by all its rankings, for each of [index] candidates
NEW = 0.45  # share of them that no neighbouring token has
WORDS, SEVERAL = 0.7, 0.3  # for each token of an answer: words, and those that have several
OF_SPANS = 4.0  # documents that the index proposes for all spans of an answer, for each of [index] candidates
LOSS = 3.0  # passes in whose time a document has token losses


def scoring(
    work: Work, speeds: Speeds, config: Config, schedule: Schedule, queries: float, n_prompts: float, parts: float = 1
) -> float:
    """Exact scores of the candidates at one checkpoint: queries pulled back and turned; documents passed, turned and
    formed; directions formed, and met by those that want them."""
    of, read, each = work.shapes, work.n_read + work.n_written, queries / parts
    documents = documents_read(work, config, each, n_prompts / parts)
    n_spans, n_several = spans(config, each, n_prompts / parts)
    asks = each + n_several  # a span of one token has that token's query
    asked = takes.passing(of, speeds, asks * read) + takes.turning(of, speeds, asks * read)
    passed = _read(work, speeds, documents) + takes.forming(of, speeds, documents * work.n_tokens)
    met = waves(work, schedule, documents, asks) * takes.forming_directions(of, speeds, asks, read)
    met += takes.meeting(of, speeds, each, min(documents, N_RANDOM + wanted(config)))
    met += takes.meeting(of, speeds, n_spans, min(documents, N_RANDOM + wanted_by_spans(config)))
    return parts * work.n_stages * (asked + passed + met)


def looking_closer(
    work: Work, speeds: Speeds, config: Config, schedule: Schedule, queries: float, n_prompts: float, parts: float = 1
) -> float:
    """Position shares of the best documents, whose tokens meet the directions, T · n_out · n_in a pair; and token
    losses of the first of them, each a pass of a pair."""
    of, scores, each = work.shapes, config.scores, queries / parts
    n_spans, n_several = spans(config, each, n_prompts / parts)
    asks, targets = each + n_several, each + n_spans
    documents = min(documents_read(work, config, each, n_prompts / parts), NEW * targets * scores.position_shares)
    shares = _read(work, speeds, documents)
    shares += waves(work, schedule, documents, asks) * takes.forming_directions(
        of, speeds, asks, work.n_read + work.n_written
    )
    shares += takes.forming(of, speeds, targets * scores.position_shares * work.n_tokens)
    losses = targets * scores.token_losses * LOSS * takes.passing(of, speeds, work.n_tokens)
    return parts * work.n_stages * (shares + losses)


def spans(config: Config, queries: float, n_prompts: float) -> tuple[float, float]:
    """Words and whole answers beside so many tokens, and those of them that have several tokens."""
    if not config.scores.words:
        return 0.0, 0.0
    return WORDS * queries + n_prompts, SEVERAL * queries + n_prompts


def n_parts(work: Work) -> float:
    """Of the influence stage (`tracing.answer_parts`), each of which reads its documents anew."""
    formed = NUMBER * work.n_queries * work.shapes.entries * work.n_stages
    return max(1.0, min(formed / SIZE, work.n_queries * work.n_stages / TOKENS))


def waves(work: Work, schedule: Schedule, documents: float, queries: float) -> int:
    """For each of which the directions are formed: one where they are kept formed."""
    if NUMBER * work.n_stages * queries * work.shapes.entries <= schedule.share(HELD):
        return 1
    numbers = sum(work.shapes.numbers_of_token) + work.shapes.vocabulary
    return max(1, math.ceil(NUMBER * documents * work.n_tokens * numbers / schedule.share(WAVE)))


def documents_read(work: Work, config: Config, queries: float, n_prompts: float) -> float:
    """Documents that are passed through the model for exact scores."""
    proposed = config.index.candidates * EACH * NEW * queries + config.scores.candidates * n_prompts
    proposed += config.index.candidates * OF_SPANS * NEW * n_prompts * config.scores.words
    return min(work.n_documents, N_RANDOM + proposed)


def wanted(config: Config) -> float:
    """Documents that are scored for one token besides the random ones."""
    return config.index.candidates * EACH + config.scores.candidates


def wanted_by_spans(config: Config) -> float:
    """Documents that are scored for every span of an answer besides the random ones."""
    return config.index.candidates * OF_SPANS + config.scores.candidates


def _read(work: Work, speeds: Speeds, documents: float) -> float:
    tokens = documents * work.n_tokens
    return takes.passing(work.shapes, speeds, tokens) + takes.turning(work.shapes, speeds, tokens)
