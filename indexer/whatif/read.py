"""A text that was not trained on, as a stage of training would have read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from attribution.errors import BadInput
from attribution.passes.batches import Row
from attribution.passes.margins import margins
from attribution.passes.preference import Preference
from attribution.trained.document import TrainedText
from indexer.corpus.as_trained import read_document
from indexer.corpus.document import Document
from indexer.corpus.turns import is_pair
from indexer.size.member import Member


@dataclass(frozen=True)
class Untrained:
    """A text with what the model would have read of it; `row` carries its loss: of a pair its preference, too."""

    document: Document
    read: TrainedText
    row: Row


def as_read(member: Member, documents: Sequence[Document]) -> list[Untrained]:
    """By this stage's own reader: windows, chat turns, targets, pairs.

    Raises BadInput, with its name, for a text of which the tokenizer keeps nothing or the model learns nothing, and for
    one that is no pair where the stage learned pairs, or the other way round.
    """
    found = [_read(member, each) for each in documents]
    if member.learned_pairs:
        judged = margins(member.tracked, member.reference, [each.row for each in found]).tolist()
        beta = member.entry.beta
        return [
            replace(each, row=replace(each.row, preference=Preference(beta, margin)))
            for each, margin in zip(found, judged, strict=True)
        ]
    return found


def named(document: Document) -> str:
    """A text as an error names it."""
    return document.title or " ".join(document.text[:80].split())[:40]


def _read(member: Member, document: Document) -> Untrained:
    if is_pair(document.turns) != member.learned_pairs:
        wanted, there = "a text", "a pair of answers"
        if member.learned_pairs:
            wanted, there = 'a pair of answers ({"chosen": …, "rejected": …})', "a text"
        raise BadInput(
            f"expected {wanted}, as {member.entry.name} learned from, found {there}: {named(document)!r}; give such"
        )
    loaded = member.loaded
    read = read_document(document, loaded.tokenizer, loaded.specials, member.training)
    if not any(stop > start for start, stop in read.spans):
        raise BadInput(f"expected words, found {named(document)!r}, of which the tokenizer keeps nothing; write words")
    if not read.row.targets().any():
        raise BadInput(
            f"expected a text of which {member.entry.name} would learn a token, found {len(read.row)} read and none "
            f"learned: {named(document)!r}; write more"
        )
    return Untrained(document, read, read.row)
