"""EDGE: deliberate failures for the tests: at a named point the process dies, or the disk is full.

`WHENCE_FAULT=point:n:action` acts at the n-th passage of the point in one process; action is `kill` (SIGKILL to
itself), `full` (the disk is full), `term` (SIGTERM to itself) or `stop` (SIGSTOP: it waits for SIGCONT). Without the
variable nothing happens.
"""

import errno
import os
import signal
from collections import Counter

# every write, fsync, rename and removal, in the order in which a build passes them; then those of repair and gc
POINTS = (
    "partition.start",
    "partition.computed",
    "partition.hashed",
    "partition.synced",
    "partition.moved",
    "partition.renamed",
    "journal.written",
    "journal.synced",
    "publish.start",
    "publish.placed",
    "publish.filled",
    "publish.checkpointed",
    "publish.synced",
    "publish.renamed",
    "publish.folder_synced",
    "slip.written",
    "slip.synced",
    "slip.moved",
    "slip.replaced",
    "current.written",
    "current.synced",
    "current.moved",
    "current.replaced",
    "rewrite.written",
    "rewrite.synced",
    "rewrite.moved",
    "rewrite.replaced",
    "repair.removed",
    "gc.removed",
)

_SIGNALS = {"kill": signal.SIGKILL, "term": signal.SIGTERM, "stop": signal.SIGSTOP}
_passed: Counter[str] = Counter()


def fault(point: str) -> None:
    """Fail here if the environment asks for it; a point that is not in POINTS is a mistake."""
    asked = os.environ.get("WHENCE_FAULT")
    if not asked:
        return
    if point not in POINTS:
        raise ValueError(f"{point} is not in indexer.journal.faults.POINTS")
    name, count, action = asked.split(":")
    _passed[point] += 1
    if name == point and _passed[point] == int(count):
        if action == "full":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.kill(os.getpid(), _SIGNALS[action])
