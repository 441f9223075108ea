"""How many threads torch has for some work. A training that must repeat to the bit has one: sums are split by thread,
and it amplifies the difference. So has each of several shards that are worked on side by side."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def threads(n: int) -> Iterator[None]:
    """n threads of torch's inside, in threads that are started there too; as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(n)
    try:
        yield
    finally:
        torch.set_num_threads(before)
