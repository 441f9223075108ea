"""Work that has one thread of torch's: the sums of a training are split by thread, and it amplifies the difference; and
where shards are worked on side by side, each has a thread already."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread() -> Iterator[None]:
    """One thread of torch's inside, in threads that are started there too; as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
