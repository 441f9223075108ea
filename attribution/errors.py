"""What can go wrong, and with which exit code a command ends.

WhenceError                 1
├── BadInput                2   the user can mend it: says what was expected, what was found, what to do
├── Locked                  3   another indexer works in this folder
├── Damaged                 4   a stored file is not what was written
└── TryAgain               75   nothing is wrong but time: a limit, a full queue, a cancelled job
"""


class WhenceError(Exception):
    """Base of all errors that are reported as one line; the message is the whole report. Lines of what others said,
    which it may quote, are joined."""

    exit_code = 1

    def __init__(self, message: object = "") -> None:
        super().__init__(" ".join(filter(None, map(str.strip, str(message).splitlines()))))


class BadInput(WhenceError):
    """A mistake in what the user gave: one line of what was expected, what was found, what to do next."""

    exit_code = 2


class Locked(WhenceError):
    """Another process holds the folder; the message says which."""

    exit_code = 3


class Damaged(WhenceError):
    """A stored artefact fails its hash, its schema or its sums; the message names it."""

    exit_code = 4


class TryAgain(WhenceError):
    """Interrupted, cancelled or refused for now; the same command can be given again."""

    exit_code = 75
