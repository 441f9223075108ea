"""EDGE: ticks that travel to another process, gathered: at most five messages a second."""

import time
from collections.abc import Callable


class Throttle:
    """Ticks, as `progress.Ticks` has them, passed on together."""

    EVERY = 0.2  # seconds

    def __init__(self, send: Callable[[float, str], None]) -> None:
        self._send, self._n, self._note, self._sent = send, 0.0, "", 0.0

    def tick(self, n: float = 1, note: str = "") -> None:
        self._n, self._note = self._n + n, note
        if time.monotonic() - self._sent > self.EVERY:
            self.flush()

    def flush(self) -> None:
        if self._n or self._note:
            self._send(self._n, self._note)
        self._n, self._note, self._sent = 0.0, "", time.monotonic()
