"""EDGE: what the dashboard holds: one thread that feeds one worker process and watches it."""

import threading
import time
from typing import Any

from indexer.worker.board import Board, Limits
from indexer.worker.child import Child
from indexer.worker.job import Job
from indexer.worker.turn import WAITING

_POLL_SECONDS = 0.1
_START_SECONDS = 120.0  # importing torch on a busy machine
_SEE_LOG = "the log of the server says more"


class Worker:
    """Runs `function` ("package.module:name") on requests, one at a time, in a process that may be killed at any time.

    function(request, report, cancelled) -> result: dictionaries of JSON; `report(stage, fraction, payload)` shows
    progress, `cancelled()` says that nobody waits any more. No process is started before the first job or `warm()`.
    """

    def __init__(
        self,
        function: str,
        limits: Limits | None = None,
        seconds: float = 120.0,
        memory_bytes: int = 4 << 30,
        cancel_seconds: float = 3.0,
    ) -> None:
        self._function = function
        self._seconds = seconds
        self._memory_bytes = memory_bytes
        self._cancel_seconds = cancel_seconds
        self._board = Board(limits or Limits())
        self._changed = threading.Condition()
        self._closed = False
        self._warm = False
        self._child: Child | None = None
        self._thread: threading.Thread | None = None

    def submit(self, request: dict[str, Any], session: str, longer: float = 1.0) -> Job:
        """Ask for a result, in so many times the time that is usual; raises TryAgain when the queue or the session's
        share is full. Returns at once."""
        with self._changed:
            job = self._board.submit(request, session, time.monotonic(), longer * self._seconds)
            self._start_thread()
            return job

    def job(self, id: str) -> Job | None:
        """News of a job; None when it has been forgotten."""
        with self._changed:
            return self._board.job(id)

    def touch(self, id: str, session: str) -> None:
        """Say, at each page run, that the session still waits."""
        with self._changed:
            self._board.touch(id, session, time.monotonic())

    def leave(self, id: str, session: str) -> None:
        """Say that the session no longer waits: without anybody else the job is cancelled."""
        with self._changed:
            self._board.leave(id, session)

    def warm(self) -> None:
        """Start the process now, so that the first job need not wait for it."""
        with self._changed:
            self._warm = True
            self._start_thread()

    def wait(self, id: str, seconds: float) -> Job | None:
        """The job when it has ended, or as it is after so many seconds."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                job = self._board.job(id)
                left = deadline - time.monotonic()
                if job is None or job.ended or left <= 0:
                    return job
                self._changed.wait(min(left, _POLL_SECONDS))

    def close(self) -> None:
        """End the process and whatever it computes."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _start_thread(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._supervise, name="whence-worker", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _supervise(self) -> None:
        while not self._closed:
            with self._changed:
                job = self._board.next()
                if job is None and not (self._warm and self._child is None):
                    self._changed.wait()
                    continue
            if self._child is not None and not self._child.alive():
                self._drop_child()
            if self._child is None:
                try:
                    self._child = Child(self._function)
                except OSError as error:
                    self._not_started(job, error)
                    continue
            if job is not None:
                self._run(self._child, job)
        self._drop_child()

    def _not_started(self, job: Job | None, error: OSError) -> None:
        with self._changed:
            self._warm = False  # the next question tries again
            if job is not None and self._board.is_unwanted(job.id):
                self._board.cancel(job.id)
            elif job is not None:
                said = f"The computing process could not be started: {error.strerror or error}."
                self._board.fail(job.id, said, again=True)
            self._changed.notify_all()

    def _run(self, child: Child, job: Job) -> None:
        """See one job through; afterwards the child is idle and well, or gone."""
        id = job.id
        try:
            child.send({"job": id, "request": job.request})
            cut, failure, result = self._watch(child, job)
        except (EOFError, OSError):
            cut, failure, result = f"The computing process {child.how_it_ended()}; {_SEE_LOG}.", "", None
            self._drop_child()
        with self._changed:
            if self._board.is_unwanted(id):
                self._board.cancel(id)
            elif cut or failure:
                self._board.fail(id, cut or failure, again=bool(cut))
            else:
                self._board.finish(id, result or {})
            self._warm = child.ready  # start another one at once, unless it cannot even start
            self._changed.notify_all()

    def _watch(self, child: Child, job: Job) -> tuple[str, str, dict[str, Any] | None]:
        """Follow the running job to its end: why it was cut short, why it was refused, its result. Kills a child that
        does not obey."""
        id, started = job.id, time.monotonic()
        told_at, reason = 0.0, ""
        while not self._closed:
            was_ready = child.ready
            message = child.receive(_POLL_SECONDS)
            now = time.monotonic()
            if child.ready and not was_ready:
                started = now  # the time limit is the function's, not the start's
            if message is not None and message.get("job") == id:
                if "report" in message:
                    self._note(id, message["report"])
                    started = now if message["report"][0] == WAITING else started  # nor is another dashboard's question
                else:
                    return reason, message.get("failed", ""), message.get("done")
            reason = reason or self._too_much(child, now - started, job.seconds or self._seconds)
            if (reason or self._is_unwanted(id, now)) and not told_at:
                told_at = now
                child.send({"cancel": id})
            if told_at and now - told_at > self._cancel_seconds:
                self._drop_child()
                return reason or "It was cancelled.", "", None
        return "The dashboard is closing.", "", None

    def _too_much(self, child: Child, seconds: float, allowed: float) -> str:
        """Why the job must stop, "" if it may go on."""
        if not child.ready and seconds > _START_SECONDS:
            return f"The computing process did not start within {_START_SECONDS:g} s; the machine may be busy."
        if child.ready and seconds > allowed:
            return f"It was stopped after {allowed:g} s."
        used = child.memory()
        if used > self._memory_bytes:
            most = self._memory_bytes / 2**30
            return f"It was stopped at {used / 2**30:.1f} GiB of memory, of at most {most:.1f}; ask something shorter."
        return ""

    def _note(self, id: str, report: list[Any]) -> None:
        with self._changed:
            self._board.report(id, *report)
            self._changed.notify_all()

    def _is_unwanted(self, id: str, now: float) -> bool:
        with self._changed:
            self._board.forget_absent(now)
            return self._board.is_unwanted(id)

    def _drop_child(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            child.kill()
