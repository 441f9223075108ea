"""EDGE: one size of a published build, opened for new prompts; whatever does not belong together is refused."""

from dataclasses import dataclass
from pathlib import Path

from attribution.document_norms import DocumentNorms
from attribution.errors import BadInput
from indexer.build.factors import fitted_before
from indexer.build.fitted import Fitted
from indexer.build.member import Member, open_member
from indexer.build.norms import norms_before
from indexer.config import Config, restored
from indexer.database.reader import Database
from indexer.textindex import TextIndex, open_text_index


@dataclass(frozen=True)
class Traced:
    """What influence needs of one size."""

    fitted: Fitted
    norms: DocumentNorms


@dataclass(frozen=True)
class Opened:
    """Everything that a new prompt needs of one size; `traced` is None where the build computes no influence."""

    member: Member
    text: TextIndex
    traced: Traced | None


def configuration(folder: Path) -> Config:
    """The configuration that the published database of a folder was built with."""
    [row] = Database(folder).current().rows("SELECT config FROM meta")
    return restored(str(row["config"]))


def open_size(config: Config, name: str) -> Opened:
    """Weights, corpus, factors and norms of a size. Raises BadInput, with the command that builds them, when one of
    them is missing or belongs to other weights, settings or documents."""
    known = {entry.name: entry for entry in config.model}
    if name not in known:
        raise BadInput(f"expected a model of the configuration, found {name!r}; choose from {', '.join(known)}")
    folder = config.output.folder
    member = open_member(known[name], config)
    if not config.scores.method:
        return Opened(member, open_text_index(folder), None)
    fitted = fitted_before(folder, member)
    return Opened(member, open_text_index(folder), Traced(fitted, norms_before(folder, fitted)))
