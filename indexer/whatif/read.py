"""A text that was not trained on, as a stage of training would have read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attribution.errors import BadInput
from attribution.passes.batches import Row
from attribution.passes.preference import Preference
from attribution.passes.margins import margins
from attribution.trained.document import TrainedText
from indexer.corpus.document import Document
from indexer.corpus.turns import is_pair
from indexer.size.member import Member


@dataclass(frozen=True)
class Untrained:
    """A text with what the model would have read of it; `row` carries its loss (a pair's preference, too)."""

    document: Document
    read: TrainedText
    row: Row


def as_read(member: Member, documents: Sequence[Document]) -> list[Untrained]:
    """By this stage's own reader: windows, chat turns, targets, pairs.

    Raises BadInput, with its title, for a text of which nothing would be learned, and for one that is no pair where the
    stage learned pairs, or the other way round.
    """
    raise NotImplementedError
