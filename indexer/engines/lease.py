"""EDGE: one driver for each object store, without a clock: a lease is held as long as its object keeps changing.

Who finds a lease watches it for a while by its own stopwatch. One that has changed meanwhile is held; one that has not
belongs to a driver that is gone, and is taken over on the condition that it is still the same.
"""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from attribution.errors import Locked, WhenceError
from indexer.engines.object_store import ObjectStore, Unmet
from indexer.journal.lock import about_me, named

NAME = "driver"
BEAT = 5.0  # seconds between changes
PATIENCE = 20.0  # seconds without one, after which nobody holds it
POLL = 0.5


class Lease:
    """Of this process; `check` raises Locked once somebody else has it."""

    def __init__(self, store: ObjectStore, tag: str, beat: float) -> None:
        self._store, self._tag, self._beat = store, tag, beat
        self._n, self._is_lost, self._end = 0, False, threading.Event()
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def check(self) -> None:
        if self._is_lost:
            raise Locked(_held(self._store))

    def leave(self) -> None:
        self._end.set()
        self._thread.join()
        if not self._is_lost:
            self._store.remove(NAME)

    def _keep(self) -> None:
        while not self._end.wait(self._beat) and not self._is_lost:
            self._n += 1
            try:
                self._tag = self._store.put(NAME, _content(self._n), self._tag)
            except Unmet:
                self._is_lost = True
            except WhenceError:  # it does not answer: whoever needs it will say so
                continue


@contextmanager
def lease(store: ObjectStore, beat: float = BEAT, patience: float = PATIENCE) -> Iterator[Lease]:
    """Raises Locked, naming the holder, where another driver has the store."""
    content, tag = store.read(NAME)
    end = time.monotonic() + patience
    while content and time.monotonic() < end:
        time.sleep(POLL)
        now, changed = store.read(NAME)
        if now and changed != tag:
            raise Locked(_held(store, now))
        content, tag = now, changed
    try:
        held = Lease(store, store.put(NAME, _content(0), tag if content else None), beat)
    except Unmet:
        raise Locked(_held(store)) from None
    try:
        yield held
    finally:
        with suppress(WhenceError):  # it does not answer: the next driver waits until the lease has not changed
            held.leave()


def _content(n: int) -> bytes:
    return json.dumps(about_me() | {"beat": n}).encode()


def _held(store: ObjectStore, content: bytes = b"") -> str:
    about: dict[str, Any] = {}
    with suppress(ValueError):
        about = json.loads(content or store.read(NAME)[0])
    return f"expected {store.address} to be free, found {named(about)} working there; wait for its end"
