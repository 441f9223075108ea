"""What target sets take: a formula each, of seconds, memory and rows; pure.

S sets of tokens together; D documents of T tokens; P explained numbers, layers of n_out × n_in. Of each set one query
is solved for each stage of training.
"""

from attribution.index.whole_query import PAIRS, RANK
from attribution.passes.room import NUMBER
from indexer.config.config import Config
from indexer.plan import work as takes
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work
from indexer.sets.chosen import PLACES
from indexer.tracing.candidates import N_RANDOM

ROUNDS = 6  # products of a direction with as many vectors as are looked at, while it is truncated


def scored(work: Work, config: Config) -> float:
    """Documents that are scored exactly, of all sets."""
    return sum(min(work.n_documents, each.scored * work.n_documents + N_RANDOM) for each in config.targets)


def rows(work: Work, config: Config) -> int:
    """Of set_influence and set_curve."""
    return int(scored(work, config)) + 3 * PLACES * len(config.targets)


def disk(work: Work, config: Config) -> int:
    """Bytes: scores by layer, and two numbers of every document for each set."""
    by_layer = NUMBER * (work.shapes.n_layers + 8)
    return int(scored(work, config) * by_layer) + 2 * NUMBER * work.n_documents * len(config.targets)


def held(work: Work) -> int:
    """Bytes of one gradient and of its directions."""
    return NUMBER * (1 + work.n_stages) * (work.shapes.entries + work.shapes.looked_up)


def seconds(work: Work, speeds: Speeds, config: Config) -> float:
    """Texts passed and their gradients formed, tokens · P; each solved, 2 · P · (n_out + n_in), and truncated; the
    index scanned for as many pairs of vectors as are kept; documents passed, formed, and met by one query."""
    of, n = work.shapes, len(config.targets)
    summed = takes.passing(of, speeds, work.set_tokens) + takes.forming(of, speeds, work.set_tokens)
    solving = 2 * sum(s.n * s.entries * (s.n_out + s.n_in) for s in of.linear) / speeds.products
    cutting = ROUNDS * RANK * (of.entries + of.looked_up) / speeds.products
    scanning = PAIRS * work.n_documents * of.index_bytes(config.index.rank) / speeds.scanned
    read = scored(work, config) * work.n_tokens
    exact = takes.passing(of, speeds, read) + takes.forming(of, speeds, read)
    exact += takes.touching(of, speeds, scored(work, config))
    return summed + n * (work.n_stages * (solving + cutting) + scanning) + exact
