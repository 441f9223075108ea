"""EDGE: what the end of a child process means: only what may pass by itself is worth the same command again."""

import errno
import re
import signal
from types import TracebackType

from attribution.errors import BadInput, TryAgain, WhenceError

# who ends a process from outside: too little memory, a scheduler, a terminal
_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_LOST = 255  # what is said of a process whose server was killed
# what torch, its BLAS, the loader of files and the system say of an allocation that failed
_REFUSED = re.compile(
    r"not enough memory|can't allocate memory|out of memory|Cannot allocate memory|bad_alloc|unable to mmap|"
    r"could not create a memory|failed to map segment|can't start new thread",
    re.IGNORECASE,
)
_TRIED = re.compile(r"(?:allocate|mmap) (\d+(?:\.\d+)?) ([KMGT]?i?B|bytes)")
_BYTES = {"b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
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


def too_little_memory(what: str, error: BaseException) -> BadInput | None:
    """The error for an allocation that failed, of Python, numpy, the system or torch, which on a CPU has no class of
    its own for it; None for any other."""
    said = str(error)
    full = isinstance(error, OSError) and error.errno == errno.ENOMEM
    if not (full or isinstance(error, MemoryError) or _REFUSED.search(said)):
        return None
    tried = _TRIED.search(said)
    found = f"{_in_bytes(*tried.groups()) / 1e9:.1f} GB refused" if tried else "an allocation refused"
    return BadInput(
        f"expected memory for {what}, found {found}; free some, set a smaller [device] memory, [device] processes = 1, "
        'fewer [factors] layers or [corpus] long = "cut", or split the longest documents'
    )


def _in_bytes(number: str, unit: str) -> float:
    return float(number) * _BYTES[unit[:1].lower()]


def crashed(what: str, error: Exception) -> WhenceError:
    """The error for an exception that nobody foresaw, with its cause in one line; BadInput where memory ran out."""
    refused = too_little_memory(what, error)
    if refused is not None:
        return refused
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
