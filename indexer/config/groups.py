"""Which groups of documents are explained as wholes: the table `[groups]`."""

from dataclasses import dataclass
from typing import Annotated

from indexer.config.toml_table import Range


@dataclass(frozen=True)
class Groups:
    """Whole groups of the corpus: what all documents with one value of a column do together."""

    by: tuple[str, ...] = ("source", "topic")
    """Columns: `corpus` (the name of the file), `title`, `source`, `topic`, or any other that every file of the corpus
    has. None: no groups."""
    disk: Annotated[float, Range(0)] = 4.0
    """GB that the gradients of a size's groups may take: each distinct combination of values is as large as the
    explained weights. Where they would take more the gradient index estimates the groups, with a standard error.
    0: never kept."""
