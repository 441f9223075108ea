"""EDGE: seconds and memory of each kind of work for one size on this machine, measured on few documents and prompts.

The curvature that the measurements need is made up: what it says does not change what it costs. On a CPU the seconds
are those that the processor has worked: on an idle machine they are the clock's, and another program does not stretch
them.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch

from attribution.curvature.blocks import damp
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.curvature.work import lengths
from attribution.exact.scores import score_documents, waves
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.index.compress import DIRECTIONS, budget
from attribution.index.corpus_pass import corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries
from attribution.index.scan import estimate
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, Rows, plan_batches
from attribution.passes.preference import Preference
from attribution.query.solve import query_directions
from indexer.corpus.prompt import Prompt
from indexer.size.answers import Answer, answer
from indexer.size.member import Member
from indexer.size.rendered import rendered
from indexer.tracing.prompt_share import settings_of, share_of

Made = TypeVar("Made")
T = TypeVar("T")

BATCHES = 4  # of documents that are measured on
ANSWERED, SHARED = 16, 4  # prompts that are answered, and of these, those whose prompt's share is measured
CROWD = 64  # queries that a document is measured against
LIMIT = 3.0  # seconds of a measurement, about
SHORTEST = 16  # tokens of a document that is cut short to be measured on
HELD = 1 << 30  # bytes of directions that are held for a measurement, one at least
SIDE = 768  # of the largest matrix whose eigenvectors are measured


@dataclass(frozen=True)
class Units:
    """Seconds, of one thread or one accelerator."""

    capture: float  # a document, forward and backward
    eigen: float  # the eigenvectors of every covariance
    answer: float  # a prompt
    share: float  # what one prompt did for its answer
    corpus: float  # a document of the corpus pass
    query: float  # the direction of one generated token
    score: float  # a document that CROWD queries want
    position: float  # a document that one query wants, without its capture
    loss: float  # a document with token losses, for one query
    n_tokens: float  # generated tokens of a prompt
    estimate: float = 0.0  # the same factored for the gradient index
    scan: float = 0.0  # a document of the index, for one generated token
    rotation: float = 0.0  # a document's gradients turned into the eigenbasis
    resident: int = 400 << 20  # bytes of the process with model and documents open
    prompt_memory: int = 0  # bytes more, at the highest, while a prompt is explained
    pass_memory: int = 0  # while documents pass
    score_memory: int = 0  # while they are scored


Found = dict[str, Any]  # fields of Units


def with_measured(units: Units, found: Found) -> Units:
    """What is known better now."""
    return replace(units, **found)


def measure(member: Member, prompts: Sequence[Prompt], first: Units) -> Iterator[Found]:
    """Fields of Units, as each is known; `first`: what is assumed of them, by which each measurement is kept to about
    `LIMIT` seconds. Raises BadInput for a prompt that does not fit."""
    tracked, config = member.tracked, member.config
    if not config.scores.method:
        yield from _prompts_only(member, prompts)
        return
    rows = _unjudged(member)
    mean = float(lengths(rows).mean())
    some = limited(sample(rows), round(LIMIT * mean / max(first.capture, 1e-9)))
    scale = mean * len(some) / sum(map(len, some)) if len(some) < BATCHES else 1.0
    expected = first.capture * len(some) / scale

    def each(seconds: float) -> float:
        """Of a document of the corpus, from seconds for those that were measured on."""
        return seconds * scale / len(some)

    t_capture, _ = _timed(lambda: list(waves(tracked, some)), expected)
    yield {"capture": each(t_capture)}
    yield {"eigen": _eigen(tracked), "rotation": _rotation(tracked)}
    n = max(1, min(ANSWERED, int(LIMIT / max(first.answer, 1e-9))))
    t_answer, every = _timed(lambda: _answers(member, prompts, n), first.answer * n)
    yield {"answer": t_answer / len(every), "n_tokens": sum(each.n_targets for each in every) / len(every)}
    H = damp(made_up(tracked))
    before = resident()
    n = max(1, min(SHARED, len(every), int(LIMIT / max(first.share, 1e-9))))
    share_memory, (t_share, _) = _peak(
        before, lambda: _timed(lambda: _shares(member, evenly(every, n)), first.share * n)
    )
    yield {"share": t_share / n, "prompt_memory": share_memory}
    most = budget(tracked, config.index.rank)
    pass_memory, (t_corpus, passed) = _peak(
        before, lambda: _timed(lambda: corpus_pass(tracked, H, some, member.n_train, budget=most), 3 * expected)
    )
    yield {"corpus": each(t_corpus), "pass_memory": pass_memory}
    answered = every[len(every) // 2]
    bytes_of_one = 4 * (tracked.n_linear + sum(of.n_out * of.n_in for of in tracked.embedding))
    ids = answered.ids[: answered.first + max(1, min(answered.n_targets, HELD // bytes_of_one))]
    crowd = max(1, min(CROWD, HELD // bytes_of_one))
    t_query, directions = _timed(
        lambda: query_directions(tracked, H, ids, answered.first), first.query * (len(ids) - answered.first)
    )
    yield {"query": t_query / directions.n}
    many, one = directions.of([i % directions.n for i in range(crowd)]), directions.of([0])
    score_memory, (t_score, _) = _peak(
        before, lambda: _timed(lambda: score_documents(tracked, many, some, member.n_train), 2 * expected)
    )
    yield {"score": each(t_capture + max(0.0, t_score - t_capture) * CROWD / crowd), "score_memory": score_memory}
    everything = [range(len(some))]
    t_pairs, _ = _timed(lambda: position_shares(tracked, one, some, everything, member.n_train), expected)
    yield {"position": each(max(0.0, t_pairs - t_capture))}
    n = min(8, len(some))
    t_loss, _ = _timed(lambda: token_losses(tracked, one, some, [range(n)], member.n_train), 3 * expected)
    yield {"loss": t_loss * scale / n}
    scales = metrics(tracked, H.eigen(tracked), DIRECTIONS)
    t_estimate, queries = _timed(lambda: index_queries(tracked, H, scales, H, ids, answered.first), t_query)
    t_scan, _ = _timed(lambda: estimate(passed.kept, queries, len(some)))
    yield {"estimate": t_estimate / directions.n, "scan": t_scan / len(some) / directions.n}


def _unjudged(member: Member) -> Rows:
    """The rows of this stage; of pairs before the models have read them: any weight costs the same."""
    if not member.learned_pairs:
        return member.own_rows
    return member.texts.rows.judged(lambda: [Preference(member.entry.beta, 0.0)] * member.n_documents)


def limited(some: Sequence[Row], most: int) -> list[Row]:
    """Of these, the middle ones by length, `most` tokens at most; the first windows of one, the very first cut short,
    where it alone has more."""
    ordered = sorted(some, key=len)
    if sum(map(len, ordered)) <= most:
        return list(some)
    kept, left, middle = [], most, len(ordered) // 2
    for row in ordered[middle:]:
        if len(row) > left:
            break
        kept.append(row)
        left -= len(row)
    return kept or [_begun(ordered[middle], max(SHORTEST, most))]


def _begun(row: Row, most: int) -> Row:
    """As many of its first windows as have `most` tokens, the very first cut short where it alone has more; all of a
    pair, and every token learned: it is measured, not scored."""
    if row.preference is not None:
        return row
    n = max(1, int(np.count_nonzero(np.cumsum(row.widths) <= most)))
    widths = tuple(min(width, most) for width in row.widths[:n])
    return Row(row.ids[: sum(widths)], windows=widths if n > 1 else ())


def sample(rows: Sequence[Row]) -> list[Row]:
    """Whole batches of a pass over all rows, evenly from the shortest to the longest: as much padding as there."""
    return [rows[i] for batch in evenly(plan_batches(rows), BATCHES) for i in batch]


def _prompts_only(member: Member, prompts: Sequence[Prompt]) -> Iterator[Found]:
    """Of a build without influence; its prompts may be long, so each kind of work is done once."""
    t_answer, [answered] = _timed(lambda: _answers(member, prompts, 1), LIMIT)
    yield {"answer": t_answer, "n_tokens": answered.n_targets}
    t_share, _ = _timed(lambda: _shares(member, [answered]), LIMIT)
    yield {"share": t_share, "prompt_memory": 0}


def _answers(member: Member, prompts: Sequence[Prompt], n: int) -> list[Answer]:
    settings = member.config.prompts
    some = [rendered(prompt, member.loaded, settings) for prompt in evenly(prompts, n)]
    return [answer(member.loaded, prompt, settings.max_new_tokens) for prompt in some]


def _shares(member: Member, answered: Sequence[Answer]) -> None:
    for each in answered:
        share_of(member.loaded, each, settings_of(member.config.prompts))


def evenly(of: Sequence[T], n: int) -> list[T]:
    """At most n of them, the middle ones of as many equal stretches."""
    n = min(n, len(of))
    return [of[(2 * i + 1) * len(of) // (2 * n)] for i in range(n)]


def made_up(tracked: Tracked) -> Factors:
    """Factors of the right shapes."""
    device, dtype = tracked.device, tracked.dtype

    def eye(n: int) -> torch.Tensor:
        return torch.eye(n, dtype=dtype, device=device)

    linear = tuple(
        Eigenbasis(eye(of.n_in), eye(of.n_out), torch.ones(of.n_out, of.n_in, dtype=dtype, device=device))
        for of in tracked.linear
    )
    fishers = tuple(torch.ones(of.n_out, of.n_in, dtype=dtype, device=device) for of in tracked.embedding)
    return Factors(tuple(of.name for of in tracked.layers), linear, fishers, "made up")


def _eigen(tracked: Tracked) -> float:
    """Both eigendecompositions of every layer in float64, from one of at most SIDE; they grow with the third power."""
    size = min(SIDE, max(max(of.n_in, of.n_out) for of in tracked.linear))
    seconds, _ = _timed(lambda: torch.linalg.eigh(torch.eye(size, dtype=torch.float64) + 1e-3))
    return sum(seconds * ((of.n_in / size) ** 3 + (of.n_out / size) ** 3) for of in tracked.linear)


def _rotation(tracked: Tracked) -> float:
    """`Q_Sᵀ g Q_A` of every layer, from the widest; the products grow with in · out · (in + out)."""
    widest = max(tracked.linear, key=lambda of: of.n_in * of.n_out * (of.n_in + of.n_out))
    g = tracked.zeros(widest.n_out, widest.n_in)
    Q_A, Q_S = tracked.zeros(widest.n_in, widest.n_in), tracked.zeros(widest.n_out, widest.n_out)
    seconds, _ = _timed(lambda: Q_S.T @ g @ Q_A)
    work = [of.n_in * of.n_out * (of.n_in + of.n_out) for of in tracked.linear]
    return seconds * sum(work) / max(work)


def resident() -> int:
    """Bytes of memory of this process that are its own; 0 where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in lines if line.startswith(("RssAnon", "RssShmem")))


def _peak(before: int, work: Callable[[], Made]) -> tuple[int, Made]:
    """Bytes above `before` at the highest, looked at a hundred times a second, and the result. What was used earlier
    and is not given back to the system counts: a build does not give it back either."""
    done, highest = threading.Event(), [0]

    def watch() -> None:
        while not done.wait(0.01):
            highest[0] = max(highest[0], resident() - before)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        made = work()
    finally:
        done.set()
        watcher.join()
    return highest[0], made


def _timed(work: Callable[[], Made], expected: float = 0.0) -> tuple[float, Made]:
    """Seconds of the second run, since the first pays for what is done once; of the first, where that is long."""
    if expected < LIMIT / 2:
        work()
    started = _seconds()
    made = work()
    return _seconds() - started, made


def _seconds() -> float:
    """Of work: a processor's, over its threads, or, where an accelerator works, the clock's."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
        return time.perf_counter()
    return time.process_time() / torch.get_num_threads()
