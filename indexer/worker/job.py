"""A job as the dashboard sees it: a request, how far it is, and what came of it."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from typing import Any

QUEUED, RUNNING, DONE, FAILED, CANCELLED = "queued", "running", "done", "failed", "cancelled"


@dataclass(frozen=True)
class Job:
    """What was known when it was asked for; ask the worker again for news."""

    id: str  # of the request: the same request is the same job
    request: dict[str, Any] = field(repr=False)
    state: str = QUEUED
    position: int = 0  # jobs that come before it; 0 when it runs or has ended
    stage: str = ""  # what the function reported last
    fraction: float = 0.0  # of the whole job, in [0, 1]
    payload: dict[str, Any] | None = field(default=None, repr=False)  # a first result, before the last one
    result: dict[str, Any] | None = field(default=None, repr=False)
    error: str = ""
    again: bool = False  # to ask once more may help: it was cut short, not refused
    seconds: float = 0.0  # that it may take; 0: what the worker allows

    @property
    def ended(self) -> bool:
        return self.state in (DONE, FAILED, CANCELLED)


def cancelled(job: Job) -> Job:
    """As it is when nobody waits for it any more; what is known of it stays."""
    return replace(job, state=CANCELLED, error="It was cancelled.", again=True)


def job_id(request: dict[str, Any]) -> str:
    """16 hex digits of the request's JSON; raises TypeError for what JSON cannot hold."""
    return hashlib.sha256(json.dumps(request, sort_keys=True).encode()).hexdigest()[:16]


def question_id(request: dict[str, Any]) -> str:
    """The same for every size that is asked it."""
    return job_id({name: value for name, value in request.items() if name != "model"})
