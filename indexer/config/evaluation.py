"""Where figures lie that were measured elsewhere: the table `[evaluation]`."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Evaluation:
    """What is known of how faithful the numbers are, beside what `whence evaluate` measures on this machine."""

    figures: Path | None = None
    """A file that `whence evaluate --save` wrote. A build publishes the figures of those models whose weights,
    documents and settings are the ones that were measured; what is measured here comes first."""
