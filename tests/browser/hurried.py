"""EDGE: a dashboard whose questions have one second: `python -m tests.browser.hurried FOLDER --port PORT`."""

import sys
from functools import partial

from dashboard.__main__ import main
from dashboard.asking import jobs
from indexer.worker.client import Worker

if __name__ == "__main__":
    jobs.Worker = partial(Worker, seconds=1.0, cancel_seconds=1.0)  # type: ignore[misc, assignment]
    jobs.LONGER = 60.0
    sys.exit(main())
