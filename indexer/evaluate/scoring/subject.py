"""EDGE: a size made ready for predictions: its factors, those of its checkpoints, and its documents as a text index."""

from functools import partial
from pathlib import Path

from indexer.config.config import Config, Model
from indexer.config.text_engine import text_engine
from indexer.corpus.stored import at_hand
from indexer.evaluate.scoring.eigenbasis import turned_preconditioner
from indexer.evaluate.scoring.given import Evaluated
from indexer.journal.stages import stage
from indexer.processes.at_once import at_once
from indexer.processes.side_by_side import side_by_side
from indexer.search.text_index import TextIndex, index_key, write_text_index
from indexer.size.checkpoints import at_checkpoint
from indexer.size.factors import fit, is_fitted
from indexer.size.member import Member, open_member


def subject(folder: Path, member: Member, dampings: tuple[float, ...] = (), turned: bool = False) -> Evaluated:
    """Everything is fitted, side by side, and indexed if need be; factors of a build are found."""
    members = [*(at_checkpoint(member, path) for path in member.entry.checkpoints), member]
    missing = [(each.entry, each.config) for each in members if not is_fitted(folder, each)]
    n_processes = at_once(member.config.device, member.loaded.device.type, member.loaded.n_params)
    side_by_side(partial(_fit, folder, turned), missing, n_processes, lambda: None)
    *early, fitted = (fit(folder, each) for each in members)
    return Evaluated(fitted, tuple(early), lexical(folder, member), dampings, turned)


def _fit(folder: Path, turned: bool, of: tuple[Model, Config]) -> None:
    entry, config = of
    fitted = fit(folder, open_member(entry, config, partial(at_hand, config.output.folder)))
    if turned and fitted.member.tracked.embedding:
        turned_preconditioner(folder, fitted)


def lexical(folder: Path, member: Member) -> TextIndex:
    """Of this member's documents alone: the index of a build may hold those of other stages of training too."""
    documents = member.corpus.documents
    engine, _ = text_engine(member.config.corpus.text_engine, len(documents))
    [part] = stage(
        folder,
        f"text-{member.corpus.hash}",
        index_key(engine, documents=member.corpus.hash),
        ["all"],
        lambda part: write_text_index(documents, part.folder, engine),
    )
    return TextIndex.open(part.folder, part.files)
