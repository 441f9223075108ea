"""What partitions compute in their tests; importable, so that a child process can."""

import os
import random
import signal
import time
from pathlib import Path

import numpy as np

from attribution.errors import BadInput
from indexer.journal.part import Partition


def draw(part: Partition) -> None:
    """Numbers from every generator that a stage may use without thinking of its seed."""
    (part.folder / "drawn").write_text(f"{random.random()} {np.random.rand()} {part.seed}")


def refuse(part: Partition) -> None:
    raise BadInput("expected something else; change it")


def fail(part: Partition) -> None:
    (part.folder / "half").write_text("half")
    raise ZeroDivisionError


def die(part: Partition) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(part: Partition) -> None:
    Path(str(part.value)).write_text(str(os.getpid()))
    time.sleep(600)


def tell(part: Partition) -> None:
    part.tick(40, "the first half")
    part.tick(60, "the second half")


def write_much(part: Partition) -> None:
    """More than a small disk holds, by the writer of the factors."""
    from safetensors.numpy import save_file

    save_file({"a": np.ones(4 << 20, dtype=np.uint8)}, part.folder / "a.safetensors")
