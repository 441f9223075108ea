"""EDGE: a size made ready for predictions: its factors, those of its checkpoints, and its documents as a text index."""

from pathlib import Path

from indexer.build.factors import fit
from indexer.build.member import Member
from indexer.build.methods import at_checkpoint
from indexer.evaluate.predictions import Subject
from indexer.journal import key, stage
from indexer.textindex import TextIndex, write_text_index
from indexer.versions import WHENCE_VERSION


def subject(folder: Path, member: Member, dampings: tuple[float, ...] = (), turned: bool = False) -> Subject:
    """Everything is fitted and indexed if need be; factors of a build are found."""
    early = tuple(fit(folder, at_checkpoint(member, path)) for path in member.entry.checkpoints)
    return Subject(fit(folder, member), early, lexical(folder, member), dampings, turned)


def lexical(folder: Path, member: Member) -> TextIndex:
    """Of this member's documents alone: the index of a build may hold those of other stages of training too."""
    made_of = key(documents=member.corpus.hash, whence=WHENCE_VERSION)
    [part] = stage(
        folder,
        f"text-{member.corpus.hash}",
        made_of,
        ["all"],
        lambda part: write_text_index(member.corpus.documents, part.folder),
    )
    return TextIndex.open(part.folder, part.files)
