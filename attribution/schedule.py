"""How work is cut to fit a device: the einsum stands elsewhere, the sizes of its pieces here.

Nothing here changes what is computed, only in how many pieces; sums may differ in their last bits.
"""

from dataclasses import dataclass

LEAST = 256 << 20  # bytes that a stage may hold, however little there is


@dataclass(frozen=True)
class Schedule:
    """What one process may use, and what its device is good at."""

    memory: int = 2 << 30  # bytes that may be held at once besides the weights: what passes leave, directions, sums
    cached: int = 2**19  # float32 numbers that stay in the cache of a core
    tokens: int = 1024  # padded tokens of a batch: large enough for dense products, small enough for the cache

    def share(self, part: float) -> int:
        """Bytes of a part of the memory."""
        return max(1, int(self.memory * part))
