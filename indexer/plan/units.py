"""EDGE: seconds and memory of each kind of work for one size on this machine, measured on few documents and prompts.

The curvature that the measurements need is made up: what it says does not change what it costs. On a CPU the seconds
are those that the processor has worked: on an idle machine they are the clock's, and another program does not stretch
them.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch

from attribution.curvature.blocks import damp
from attribution.curvature.factors import Eigenbasis, Factors
from attribution.exact.query import query_directions
from attribution.exact.scores import score_documents, waves
from attribution.exact.shares import position_shares
from attribution.exact.token_loss import token_losses
from attribution.index.compress import DIRECTIONS, budget
from attribution.index.corpus_pass import corpus_pass
from attribution.index.metric import metrics
from attribution.index.query import index_queries
from attribution.index.scan import estimate
from attribution.model.tracked import Tracked
from attribution.passes.batches import Row, plan_batches
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


def measure(member: Member, prompts: Sequence[Prompt]) -> Units:
    """Takes some seconds; raises BadInput for a prompt that does not fit."""
    tracked, config = member.tracked, member.config
    if not config.scores.method:
        return _prompts_only(member, prompts)
    some = sample(member.own_rows)
    H = damp(made_up(tracked))
    t_answer, every = _timed(lambda: _answers(member, prompts, ANSWERED))
    before = resident()
    share_memory, (t_share, _) = _peak(before, lambda: _timed(lambda: _shares(member, evenly(every, SHARED))))
    answered = every[len(every) // 2]
    t_query, directions = _timed(lambda: query_directions(tracked, H, answered.ids, answered.first))
    many, one = directions.of([i % directions.n for i in range(CROWD)]), directions.of([0])
    t_capture, _ = _timed(lambda: list(waves(tracked, some)))
    score_memory, (t_score, _) = _peak(
        before, lambda: _timed(lambda: score_documents(tracked, many, some, member.n_train))
    )
    t_pairs, _ = _timed(lambda: position_shares(tracked, one, some, [range(len(some))], member.n_train))
    n_lost = min(8, len(some))
    t_loss, _ = _timed(lambda: token_losses(tracked, one, some, [range(n_lost)], member.n_train))
    most = budget(tracked, config.index.rank)
    pass_memory, (t_corpus, passed) = _peak(
        before, lambda: _timed(lambda: corpus_pass(tracked, H, some, member.n_train, budget=most))
    )
    scales = metrics(tracked, H.eigen(tracked), DIRECTIONS)
    t_estimate, queries = _timed(lambda: index_queries(tracked, H, scales, H, answered.ids, answered.first))
    t_scan, _ = _timed(lambda: estimate(passed.kept, queries, len(some)))
    return Units(
        capture=t_capture / len(some),
        eigen=_eigen(tracked),
        answer=t_answer / len(every),
        share=t_share / min(len(every), SHARED),
        corpus=t_corpus / len(some),
        query=t_query / directions.n,
        score=t_score / len(some),
        position=max(0.0, t_pairs - t_capture) / len(some),
        loss=t_loss / n_lost,
        n_tokens=sum(each.n_targets for each in every) / len(every),
        estimate=t_estimate / directions.n,
        scan=t_scan / len(some) / directions.n,
        rotation=_rotation(tracked),
        resident=before,
        prompt_memory=share_memory,
        pass_memory=pass_memory,
        score_memory=score_memory,
    )


def sample(rows: Sequence[Row]) -> list[Row]:
    """Whole batches of a pass over all rows, evenly from the shortest to the longest: as much padding as there."""
    return [rows[i] for batch in evenly(plan_batches(rows), BATCHES) for i in batch]


def _prompts_only(member: Member, prompts: Sequence[Prompt]) -> Units:
    """Of a build without influence; its prompts may be long, so each kind of work is done once."""
    t_answer, [answered] = _timed(lambda: _answers(member, prompts, 1), runs=1)
    t_share, _ = _timed(lambda: _shares(member, [answered]), runs=1)
    return Units(0, 0, t_answer, t_share, 0, 0, 0, 0, 0, answered.n_targets, resident=resident())


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
    """Both eigendecompositions of every layer in float64, from one of the widest; they grow with the third power."""
    widest = max(max(of.n_in, of.n_out) for of in tracked.linear)
    seconds, _ = _timed(lambda: torch.linalg.eigh(torch.eye(widest, dtype=torch.float64) + 1e-3))
    return sum(seconds * ((of.n_in / widest) ** 3 + (of.n_out / widest) ** 3) for of in tracked.linear)


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


def _timed(work: Callable[[], Made], runs: int = 2) -> tuple[float, Made]:
    """Seconds of the last of the runs: the first pays for what is done once."""
    for _ in range(runs - 1):
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
