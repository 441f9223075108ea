"""EDGE: what the end of a child process means: only what may pass by itself is worth the same command again."""

import signal
from types import TracebackType

from attribution.errors import TryAgain, WhenceError

# who ends a process from outside: too little memory, a scheduler, a terminal
_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOST = 255  # what is said of a process whose server was killed
_LONGEST = 300  # characters of a cause


def ended(what: str, code: int | None) -> WhenceError:
    """The error for a process that ended without a word: TryAgain if it was stopped from outside, WhenceError (exit
    code 1) if it crashed. `code` as multiprocessing gives it: minus the signal, or what it left with."""
    by = f"by {signal.Signals(-code).name}" if code is not None and code < 0 else f"with code {code}"
    if code == _LOST or (code is not None and -code in _OUTSIDE):
        memory = " (often too little memory)" if code in (-signal.SIGKILL, _LOST) else ""
        return TryAgain(f"expected {what} to finish, found its process ended {by}{memory}; give the same command again")
    return WhenceError(
        f"expected {what} to finish, found its process crashed {by}; the same command will end so again: "
        "report it with what stands above"
    )


def crashed(what: str, error: Exception) -> WhenceError:
    """The error for an exception that nobody foresaw, with its cause in one line."""
    said = " ".join(str(error).split())[:_LONGEST]
    return WhenceError(
        f"expected {what} to finish, found {type(error).__name__}{f': {said}' if said else ''}"
        f"{_place(error.__traceback__)}; the same command will end so again: report it with what stands above"
    )


def _place(of: TracebackType | None) -> str:
    """Where it was raised."""
    if of is None:
        return ""
    while of.tb_next is not None:
        of = of.tb_next
    return f" ({of.tb_frame.f_code.co_filename.rpartition('/')[2]} line {of.tb_lineno})"
