"""EDGE: speeds of this machine, measured within seconds: one layer of each shape, a few tokens of the documents, a few
prompts.

Numbers are made up where they do not change what they cost, and nothing is held for more than one layer. On a CPU the
seconds are those that the processor has worked: on an idle machine they are the clock's, and another program does not
stretch them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import torch
from torch import Tensor

from attribution.curvature.blocks import EigenBlock
from attribution.curvature.factors import Eigenbasis
from attribution.curvature.work import EIGH, lengths
from attribution.index.compress import RANK, Compressed
from attribution.index.query import COLUMNS, LayerQuery
from attribution.index.scan import estimate
from attribution.index.squares import layer_squares
from attribution.index.triplets import thin_svd
from attribution.model.tracked import Tracked
from attribution.passes.batches import Rows, batches, shapes_of
from attribution.passes.capture import capture
from attribution.passes.preference import Preference
from indexer.corpus.prompt import Prompt
from indexer.plan.forecast import answering
from indexer.plan.memory import bytes_of_token
from indexer.plan.sample import evenly, limited, sample
from indexer.plan.shapes import Shape, Shapes
from indexer.plan.speeds import Speeds
from indexer.plan.work import Work
from indexer.size.answers import Answer, answer
from indexer.size.member import Member
from indexer.size.rendered import rendered
from indexer.tracing.prompt_share import maps_of, settings_of, share_of

Made = TypeVar("Made")

ANSWERED = 16  # prompts that are answered at most
LIMIT = 3.0  # seconds of a measurement, about
BRIEF = 0.2  # of one of a single layer
HELD = 1 << 29  # bytes that a measurement may hold
SIDE = 768  # of the largest matrix whose eigenvectors are measured
QUERIES = 64  # that meet a gradient

Found = dict[str, Any]  # fields of Speeds, and of Work


def measure(member: Member, prompts: Sequence[Prompt], work: Work, first: Speeds) -> Iterator[Found]:
    """Fields of Speeds and of Work, as each is known. `first`: what is assumed, which keeps measurements short.

    Raises BadInput for a prompt that does not fit.
    """
    of, tracked = work.shapes, member.tracked
    if member.config.scores.method:
        rows = _unjudged(member)
        yield {
            "n_tokens": float(lengths(rows).mean()),
            "longest": int(lengths(rows).max()),
            "widest": int(shapes_of(rows)[:, 2].max()),
        }
        yield {"passed": _passed(tracked, of, rows, first)}
        sides = {side for shape in of.linear for side in (shape.n_out, shape.n_in)}
        yield {"turned": {side: _turned(tracked, side, first) for side in sorted(sides)}}
        T = max(1, round(float(lengths(rows).mean())))
        formed = {(shape.n_out, shape.n_in): _formed(tracked, shape, T) for shape in of.linear}
        yield {"formed": {sides: rate for sides, (rate, _) in formed.items()}}
        widest = max(formed)
        yield {"touched": formed[widest][1], "products": _products(tracked)}
        yield {
            "decomposed": _decomposed(of),
            "cut": _cut(tracked, T),
            "scanned": _scanned(of.linear[0], tracked.schedule.vectors),
        }
    yield from _answered(member, prompts, work, first)


def _passed(tracked: Tracked, of: Shapes, rows: Rows, first: Speeds) -> float:
    most = min(tracked.schedule.tokens, int(LIMIT * first.passed / 3 / of.n_params), HELD // bytes_of_token(of))
    some = limited(sample(rows), most)
    planned = list(batches(some, tracked.loaded.context, tracked.device, tracked.schedule.tokens))
    work = 3.0 * of.n_params * sum(batch.ids.numel() for batch in planned)
    for batch in planned[:1]:
        capture(tracked, batch)
    return work / _seconds_of(lambda: [capture(tracked, batch) for batch in planned][:0])


def _turned(tracked: Tracked, side: int, first: Speeds) -> float:
    n = max(16, min(tracked.schedule.tokens, int(BRIEF * first.products / side**2)))
    tokens, Q = tracked.zeros(n, side) + 1, tracked.zeros(side, side)
    return n * side**2 / _repeated(lambda: tokens @ Q)


def _formed(tracked: Tracked, shape: Shape, T: int) -> tuple[float, float]:
    """Multiply-adds in a second of gradients of documents of T tokens, and their numbers that are weighed in one."""
    n_rows = max(1, min(shape.n_out, HELD // 4 // shape.n_in // 4))
    n = max(1, min(tracked.schedule.cached // (n_rows * shape.n_in), tracked.schedule.tokens // T))
    deltas, inputs = tracked.zeros(n, T, n_rows) + 1, tracked.zeros(n, T, shape.n_in) + 1
    gradients, none = tracked.zeros(n, n_rows, shape.n_in), tracked.zeros(0, 0)
    block = EigenBlock(Eigenbasis(none, none, tracked.zeros(n_rows, shape.n_in) + 1), 0.1)
    forming = _repeated(lambda: torch.bmm(deltas.mT, inputs, out=gradients))
    both = _repeated(lambda: layer_squares(deltas, inputs, block, tracked.schedule))
    numbers = n * n_rows * shape.n_in
    return T * numbers / forming, numbers / max(both - forming, both / 4)


def _products(tracked: Tracked) -> float:
    n = tracked.schedule.cached // QUERIES
    P, gradients = tracked.zeros(QUERIES, n) + 1, tracked.zeros(QUERIES, n) + 1
    return QUERIES**2 * n / _repeated(lambda: P @ gradients.T)


def _decomposed(of: Shapes) -> float:
    """In float64, of at most SIDE: decompositions grow with the third power."""
    side = min(SIDE, max(max(shape.n_out, shape.n_in) for shape in of.linear))
    some = torch.randn(side, side, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return EIGH * float(side) ** 3 / _repeated(lambda: torch.linalg.eigh(some @ some.T))


def _cut(tracked: Tracked, T: int) -> float:
    """Seconds of one layer of one document."""
    n_layers, n = min(8, len(tracked.linear)), max(1, min(tracked.schedule.tokens // T, HELD // 64 // T**2))
    tokens = torch.randn(n_layers, n, T, T + 1, generator=torch.Generator().manual_seed(0)).to(tracked.device)
    gram = tokens @ tokens.mT
    return _repeated(lambda: thin_svd(gram, gram, RANK)) / n_layers / n


def _scanned(shape: Shape, n_vectors: int) -> float:
    """Bytes of the index in a second, for one token of several."""
    n, K = 4 * n_vectors, COLUMNS

    def vectors(m: int, side: int) -> Tensor:
        return torch.ones(m, side, dtype=torch.int8)

    kept = Compressed(
        vectors(n, shape.n_out), vectors(n, shape.n_in), torch.ones(n), torch.arange(n, dtype=torch.int32)
    )
    query = LayerQuery(vectors(shape.n_out, K), vectors(shape.n_in, K), torch.eye(K))
    return kept.nbytes * K / _repeated(lambda: estimate([kept], [query], n, n_vectors))


def _answered(member: Member, prompts: Sequence[Prompt], work: Work, first: Speeds) -> Iterator[Found]:
    settings, n = member.config.prompts, int(LIMIT / max(answering(work, first), 1e-9))
    chosen = evenly(prompts, max(1, min(ANSWERED, n)))
    some = [rendered(prompt, member.loaded, settings) for prompt in chosen]
    made: list[Answer] = []
    if n > 1:
        answer(member.loaded, some[0], settings.max_new_tokens)
    seconds = _seconds_of(lambda: made.extend(answer(member.loaded, each, settings.max_new_tokens) for each in some))
    n_written = sum(each.n_targets for each in made)
    yield {
        "n_read": sum(each.first for each in made) / len(made),
        "n_written": n_written / len(made),
        "written": seconds / n_written,
    }
    own, wanted = made[len(made) // 2], settings_of(settings, maps_of(member))
    shared = min(_seconds_of(lambda: share_of(member.loaded, own, wanted)) for _ in range(min(n, 2) or 1))
    yield {"shared": shared / (seconds * own.n_targets / n_written)}


def _unjudged(member: Member) -> Rows:
    """The rows of this stage; of pairs before the models have read them: any weight costs the same."""
    if not member.learned_pairs:
        return member.own_rows
    return member.texts.rows.judged(lambda: [Preference(member.entry.beta, 0.0)] * member.n_documents)


def _repeated(work: Callable[[], object]) -> float:
    """Seconds of one of several runs, after one that pays for what is done once."""
    work()
    n, spent = 0, 0.0
    while spent < BRIEF and n < 100:
        spent += _seconds_of(work)
        n += 1
    return spent / n


def _seconds_of(work: Callable[[], object]) -> float:
    started = seconds()
    work()
    return max(seconds() - started, 1e-7)


def seconds() -> float:
    """Of work: a processor's, over its threads, or, where an accelerator works, the clock's."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()
