"""EDGE: the console script `whence`, and `python -m whence`."""

import sys

from indexer.__main__ import hush
from whence.command import main


def start() -> None:
    """Run the command line of this process, and end with its exit code."""
    hush()
    sys.exit(main())


if __name__ == "__main__":
    start()
