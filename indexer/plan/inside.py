"""What heads and neurons take: a formula each, of seconds, rows and bytes; pure.

L blocks of H heads, KV key-value heads and N neurons; Q generated tokens, K of each answer; S tokens that are read.
"""

from attribution.passes.room import NUMBER
from indexer.config.config import Config
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work, passing

STRONGEST, TOGETHER = 15, 2  # heads and neurons of a token that are replaced, and sets of heads
RANDOM = 15  # of an answer
WATCHED = 0.15  # passes that it takes to watch one
WORDS = 20  # promoted and suppressed by a neuron
TEXT, WEIGHT = 8, 1.5  # bytes as they lie in the file, about: of a word, of a weight of three decimals
ROW = 16  # bytes of the other columns, most of which repeat


def watching(work: Work, speeds: Speeds) -> float:
    """Seconds of the corpus pass that go to watching it."""
    return WATCHED * passing(work.shapes, speeds, work.n_documents * work.n_tokens) if work.shapes.parts.n else 0.0


def effects(work: Work, speeds: Speeds, config: Config) -> float:
    """Seconds of one answer: read with its graph, which is pulled back for every token; some read again with components
    replaced; and read for attention."""
    S, K = work.n_read + work.n_written, work.n_written
    if not work.shapes.parts.n:
        return passing(work.shapes, speeds, S) / 3
    measured = min(config.inside.measured, K)
    forward = 2 + ((STRONGEST + TOGETHER) * measured + RANDOM + all_heads(work, config) if measured else 0)
    return passing(work.shapes, speeds, S) * (forward / 3 + 2 / 3 * K)


def all_heads(work: Work, config: Config) -> int:
    """Heads that are replaced one by one besides the strongest and the random ones, about."""
    n = work.shapes.parts.n_blocks * work.shapes.parts.n_heads
    return n if n <= config.inside.heads else 0


def naming(work: Work, speeds: Speeds) -> float:
    """Seconds in which every neuron's output meets the vocabulary: L · N · V · H."""
    of = work.shapes
    return of.parts.n_blocks * of.parts.n_neurons * of.vocabulary * of.width / speeds.products


def rows(work: Work, config: Config) -> dict[str, int]:
    """Of a build, by table."""
    of, inside, Q = work.shapes.parts, config.inside, work.n_queries
    heads, neurons = of.n_blocks * of.n_heads, of.n_blocks * of.n_neurons
    traced = bool(config.scores.method)
    some = min(inside.measured, work.n_written) * work.n_prompts if of.n else 0
    found = {
        "component_taught": Q * config.scores.position_shares if traced and of.n else 0,
        "component_effect": Q if of.n else 0,
        "component_measured": some * (2 * STRONGEST + all_heads(work, config)),
        "component_attention": Q * min(inside.attention, heads),
        "lens": Q * (of.n_blocks + 1),
        "component_context": (heads + neurons) * inside.contexts if traced else 0,
        "neuron_activation": neurons if traced and inside.contexts else 0,
        "component_tokens": neurons,
    }
    return {table: int(n) for table, n in found.items()}


def disk(work: Work, config: Config) -> int:
    """Bytes of these rows."""
    of, n = work.shapes.parts, rows(work, config)
    heads, kept = of.n_blocks * of.n_heads, config.inside.neurons
    numbers = {
        "component_taught": heads + of.n_blocks * of.n_kv_heads + 2 * kept,
        "component_effect": 2 * heads + 2 * of.n_blocks + 3 * kept,
        "neuron_activation": 25,
        "component_tokens": WORDS,
    }
    found = float(sum(count * (ROW + NUMBER * numbers.get(table, 0)) for table, count in n.items()))
    found += n["component_attention"] * WEIGHT * (work.n_read + work.n_written / 2)
    return int(found + n["component_tokens"] * WORDS * TEXT)
