"""Only what may pass by itself is worth the same command again."""

import signal

import pytest

from indexer.processes.ended import crashed, ended


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
