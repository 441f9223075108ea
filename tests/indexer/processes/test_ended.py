"""Only what may pass by itself is worth the same command again."""

import errno
import signal

import pytest
import torch

from attribution.errors import BadInput
from indexer.processes.ended import crashed, ended, too_little_memory


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        (-signal.SIGKILL, 75, "ended by SIGKILL (often too little memory)"),
        (-signal.SIGTERM, 75, "ended by SIGTERM;"),
        (255, 75, "ended with code 255"),
        (-signal.SIGSEGV, 1, "crashed by SIGSEGV"),
        (-signal.SIGABRT, 1, "crashed by SIGABRT"),
        (1, 1, "crashed with code 1"),
        (0, 1, "crashed with code 0"),
    ],
)
def test_input_34_what_may_pass_is_tried_again_and_a_crash_is_not(code, exit_code, said):
    error = ended("atlas-s", code)
    assert error.exit_code == exit_code
    assert said in str(error)
    assert ("give the same command again" in str(error)) == (exit_code == 75)


def test_input_34_the_cause_is_one_line_with_its_place():
    try:
        [].pop()
    except IndexError as error:
        told = crashed("atlas-s", error)
    assert told.exit_code == 1
    assert "atlas-s to finish, found IndexError: pop from empty list (test_ended.py line" in str(told)
    assert len(str(crashed("x", ValueError("a\n" * 10_000)))) < 600


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (MemoryError(), "an allocation"),
        (MemoryError("Unable to allocate 7.45 GiB for an array with shape (9,) and data type float64"), "8.0 GB"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "an allocation"),
        (
            RuntimeError(
                "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 8000000000 bytes."
            ),
            "8.0 GB",
        ),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 25 bytes."), "0.0 GB"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has"), "21.5 GB"),
    ],
)
def test_memory_that_was_refused_is_one_line_that_says_what_to_set(error, found):
    told = too_little_memory("atlas-s", error)
    assert isinstance(told, BadInput)
    assert f"expected memory for atlas-s, found {found} refused; " in str(told)
    assert "[device] memory" in str(told)
    assert "\n" not in str(told)
    assert isinstance(crashed("atlas-s", error), BadInput)


def test_other_errors_are_not_taken_for_it():
    assert too_little_memory("x", RuntimeError("expected scalar type Float")) is None
    assert too_little_memory("x", OSError(errno.ENOSPC, "No space left on device")) is None


def test_a_real_allocation_that_fails_is_known():
    with pytest.raises(RuntimeError) as refused:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert too_little_memory("x", refused.value) is not None
