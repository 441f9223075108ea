"""Who asked for what: a bounded queue where identical requests share one job, and a bounded cache of results.

Pure bookkeeping: no process, no thread, no clock (times are handed in). The worker holds its lock around every call.
"""

import json
from collections import OrderedDict
from dataclasses import dataclass, replace
from typing import Any

from attribution.errors import TryAgain
from indexer.worker.job import DONE, FAILED, RUNNING, Job, cancelled, job_id, question_id


@dataclass(frozen=True)
class Limits:
    """`queue`: questions that may wait; `per_session`: those of one session that wait or run, one asked of several
    sizes counting once; the rest bounds the cache."""

    queue: int = 4
    per_session: int = 2
    absent_seconds: float = 30.0  # a session that has not asked for its job for so long has left
    cached_jobs: int = 64
    cached_bytes: int = 64 << 20  # of the results' JSON


class Board:
    """Jobs from request to result."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._open: OrderedDict[str, Job] = OrderedDict()  # queued or running, the oldest first
        self._sessions: dict[str, dict[str, float]] = {}  # job -> session -> when it last asked
        self._ended: OrderedDict[str, tuple[Job, int]] = OrderedDict()  # with the bytes of its result, oldest first
        self._unwanted: set[str] = set()
        self._wanted_again: dict[str, Job] = {}  # by whoever asks while it is being cancelled

    def submit(self, request: dict[str, Any], session: str, now: float, seconds: float = 0.0) -> Job:
        """The job of this request: a cached result, the one that is under way, or a new one at the end of the queue,
        which may take `seconds`; one that was cut short begins with what was known of it.

        Raises TryAgain when the queue or the session's share of it is full.
        """
        id = job_id(request)
        ended = self._ended.get(id)
        if ended is not None and ended[0].state == DONE:
            self._ended.move_to_end(id)
            return ended[0]
        if id in self._unwanted:
            self._wanted_again.setdefault(id, Job(id, request, payload=self._open[id].payload, seconds=seconds))
        elif id not in self._open:
            self._admit(request, session)
            self._ended.pop(id, None)
            self._open[id] = Job(id, request, payload=ended[0].payload if ended else None, seconds=seconds)
            self._sessions[id] = {}
        self._sessions[id][session] = now
        return self._seen(self._open[id])

    def job(self, id: str) -> Job | None:
        """What is known of a job, None when it was never asked for or has been forgotten."""
        if id in self._open:
            return self._seen(self._open[id])
        ended = self._ended.get(id)
        return None if ended is None else ended[0]

    def touch(self, id: str, session: str, now: float) -> None:
        """The session still waits for the job."""
        if id in self._open and (id not in self._unwanted or id in self._wanted_again):
            self._sessions[id][session] = now

    def leave(self, id: str, session: str) -> None:
        """The session no longer waits; a job that nobody waits for is cancelled."""
        if id in self._open:
            self._sessions[id].pop(session, None)
            self._drop_if_alone(id)

    def forget_absent(self, now: float) -> None:
        """Every session that has not touched its job for too long leaves it."""
        for id in list(self._open):
            for session, seen in list(self._sessions[id].items()):
                if now - seen > self._limits.absent_seconds:
                    self.leave(id, session)

    def is_unwanted(self, id: str) -> bool:
        """Whether the running job should be cancelled."""
        return id in self._unwanted

    def next(self) -> Job | None:
        """The oldest queued job, now running; None when there is none."""
        for id, job in self._open.items():
            if job.state != RUNNING:
                self._open[id] = replace(job, state=RUNNING)
                return self._open[id]
        return None

    def report(self, id: str, stage: str, fraction: float, payload: dict[str, Any] | None) -> None:
        """Progress of the running job; a payload replaces the one before, unless it knows less: a job that goes on
        begins anew. None leaves it."""
        job = self._open[id]
        given = job.payload if len(payload or {}) < len(job.payload or {}) else payload
        self._open[id] = replace(job, stage=stage, fraction=min(max(fraction, 0.0), 1.0), payload=given)

    def finish(self, id: str, result: dict[str, Any]) -> None:
        self._end(replace(self._open[id], state=DONE, fraction=1.0, payload=None, result=result))

    def fail(self, id: str, error: str, again: bool = False) -> None:
        """again: it was cut short, not refused."""
        self._end(replace(self._open[id], state=FAILED, error=error, again=again))

    def cancel(self, id: str) -> None:
        """Back into the queue where somebody asked again meanwhile."""
        sessions = self._sessions[id]
        self._end(cancelled(self._open[id]))
        if (again := self._wanted_again.pop(id, None)) is not None and sessions:
            self._ended.pop(id, None)
            self._open[id], self._sessions[id] = again, sessions

    def _admit(self, request: dict[str, Any], session: str) -> None:
        """A question that is under way in another size has its place."""
        asked = question_id(request)
        by_job = {id: question_id(job.request) for id, job in self._open.items()}
        waiting = {by_job[id] for id, job in self._open.items() if job.state != RUNNING}
        if len(waiting) >= self._limits.queue and asked not in waiting:
            raise TryAgain(f"expected a free place in the queue, found {len(waiting)} waiting; ask again in a minute")
        mine = {by_job[id] for id, sessions in self._sessions.items() if session in sessions}
        if len(mine) >= self._limits.per_session and asked not in mine:
            allowed = self._limits.per_session
            raise TryAgain(f"expected at most {allowed} questions at once, found one more; wait for an answer")

    def _drop_if_alone(self, id: str) -> None:
        if self._sessions[id]:
            return
        if self._open[id].state == RUNNING:
            self._unwanted.add(id)
        else:
            self.cancel(id)

    def _seen(self, job: Job) -> Job:
        return replace(job, position=list(self._open).index(job.id))

    def _end(self, job: Job) -> None:
        del self._open[job.id]
        del self._sessions[job.id]
        self._unwanted.discard(job.id)
        size = len(json.dumps(job.result if job.payload is None else job.payload))
        self._ended[job.id] = (job, size)
        held = sum(size for _, size in self._ended.values())
        limits = self._limits
        while len(self._ended) > limits.cached_jobs or (held > limits.cached_bytes and len(self._ended) > 1):
            held -= self._ended.popitem(last=False)[1][1]
