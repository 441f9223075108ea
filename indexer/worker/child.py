"""EDGE: the client's end of one worker process: start, send, listen, measure, kill.

Started as a program of its own, not through `multiprocessing`, whose spawn runs the parent's main module again: inside
Streamlit that is the page.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Child:
    """One process that runs jobs of one function."""

    def __init__(self, function: str) -> None:
        """Raises OSError where the system starts none."""
        ours, theirs = socket.socketpair()
        with ours, theirs:
            path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
            self._process = subprocess.Popen(
                [sys.executable, "-m", "indexer.worker.process", function, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": path},
            )
            self._connection = Connection(ours.detach())
        self.ready = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, message: dict[str, Any]) -> None:
        """Raises OSError when the process has died."""
        self._connection.send_bytes(json.dumps(message).encode())

    def receive(self, seconds: float) -> dict[str, Any] | None:
        """The next message, or None when none came in time; raises EOFError or OSError when the process has died."""
        if not self._connection.poll(seconds):
            return None
        message: dict[str, Any] = json.loads(self._connection.recv_bytes())
        if "ready" in message:
            self.ready = True
        return message

    def memory(self) -> int:
        """Resident bytes, 0 where the system does not say."""
        try:
            return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * _PAGE
        except (OSError, IndexError):
            return 0

    def alive(self) -> bool:
        return self._process.poll() is None

    def how_it_ended(self) -> str:
        """For a message, once the connection has broken."""
        try:
            code = self._process.wait(timeout=2.0)
        except subprocess.TimeoutExpired:
            return "stopped answering"
        return f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._connection.close()
