"""Seconds of each kind of work for one size on this machine, measured on a few documents and one prompt.

The curvature that the measurements need is made up: what it says does not change what it costs.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import torch

from attribution.compress import budget
from attribution.corpus_pass import corpus_pass
from attribution.factors import Eigenbasis, Factors
from attribution.preconditioner import damp
from attribution.query import query_directions
from attribution.scores import score_documents, waves
from attribution.shares import position_shares
from attribution.token_loss import token_losses
from attribution.tracked import Tracked
from indexer.build.answers import answer
from indexer.build.member import Member
from indexer.build.prompt_share import settings_of, share_of
from indexer.build.rendered import rendered
from indexer.corpus.prompt import Prompt

Made = TypeVar("Made")

DOCUMENTS = 48  # that are measured on
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
    n_tokens: float  # generated tokens of the measured prompt


def measure(member: Member, prompt: Prompt) -> Units:
    """Takes some seconds; raises BadInput for a prompt that does not fit."""
    tracked, config = member.tracked, member.config
    settled = rendered(prompt, member.loaded, config.prompts)
    if not config.scores.method:
        return _prompts_only(member, settled)
    rows = sorted(member.own_rows, key=len)
    some = rows[:: max(1, len(rows) // DOCUMENTS)][:DOCUMENTS]
    H = damp(made_up(tracked))
    t_answer, answered = _timed(lambda: answer(member.loaded, settled, config.prompts.max_new_tokens))
    t_share, _ = _timed(lambda: share_of(member.loaded, answered, settings_of(config.prompts)))
    t_query, directions = _timed(lambda: query_directions(tracked, H, answered.ids, answered.first))
    many, one = directions.of([i % directions.n for i in range(CROWD)]), directions.of([0])
    t_capture, _ = _timed(lambda: list(waves(tracked, some)))
    t_score, _ = _timed(lambda: score_documents(tracked, many, some, member.n_train))
    t_pairs, _ = _timed(lambda: position_shares(tracked, one, some, [range(len(some))], member.n_train))
    t_loss, _ = _timed(lambda: token_losses(tracked, one, some, [range(8)], member.n_train))
    most = budget(tracked, config.index.rank)
    t_corpus, _ = _timed(lambda: corpus_pass(tracked, H, some, member.n_train, budget=most))
    return Units(
        capture=t_capture / len(some),
        eigen=_eigen(tracked),
        answer=t_answer,
        share=t_share,
        corpus=t_corpus / len(some),
        query=t_query / directions.n,
        score=t_score / len(some),
        position=max(0.0, t_pairs - t_capture) / len(some),
        loss=t_loss / 8,
        n_tokens=answered.n_targets,
    )


def _prompts_only(member: Member, prompt: Prompt) -> Units:
    """Of a build without influence; its prompts may be long, so each kind of work is done once."""
    settings = member.config.prompts
    t_answer, answered = _timed(lambda: answer(member.loaded, prompt, settings.max_new_tokens), runs=1)
    t_share, _ = _timed(lambda: share_of(member.loaded, answered, settings_of(settings)), runs=1)
    return Units(0, 0, t_answer, t_share, 0, 0, 0, 0, 0, answered.n_targets)


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


def _timed(work: Callable[[], Made], runs: int = 2) -> tuple[float, Made]:
    """The last of the runs: the first pays for what is done once."""
    for _ in range(runs - 1):
        work()
    started = time.perf_counter()
    made = work()
    return time.perf_counter() - started, made
