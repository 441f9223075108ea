"""EDGE: one size of a published build, opened for new prompts; whatever does not belong together is refused."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from attribution.errors import BadInput
from indexer.config.config import Config, restored
from indexer.corpus.stored import open_corpus
from indexer.database.reader import Database
from indexer.groups.grouped import Grouped, grouped_before
from indexer.inside.components import Within, within_before
from indexer.search.text_index import TextIndex, open_text_index
from indexer.size.corpus_pass import norms_before
from indexer.size.factors import fitted_before
from indexer.size.index import open_index
from indexer.size.member import Member, open_member
from indexer.tracing.traced import Traced


@dataclass(frozen=True)
class Opened:
    """Everything that a new prompt needs of one size; `traced` is None where the build computes no influence, `within`
    where it did not look inside."""

    member: Member
    text: TextIndex
    traced: Traced | None
    within: Within | None = None
    groups: Grouped | None = None  # None also where the build has none


def configuration(folder: Path) -> Config:
    """The configuration that the published database of a folder was built with."""
    [row] = Database(folder).current().rows("SELECT config FROM meta")
    return restored(str(row["config"]))


def open_size(config: Config, name: str) -> Opened:
    """Weights, corpus, factors, norms and gradient index of a size; of documents and index nothing is read yet.

    Raises BadInput, with the command that builds them, when one of them is missing or belongs to other weights,
    settings or documents; Damaged for a file that is not what was written.
    """
    known = {entry.name: entry for entry in config.model}
    if name not in known:
        raise BadInput(f"expected a model of the configuration, found {name!r}; choose from {', '.join(known)}")
    folder = config.output.folder
    member = open_member(known[name], config, partial(open_corpus, folder))
    within = within_before(folder, member) if config.inside.enabled else None
    if not config.scores.method:
        return Opened(member, open_text_index(folder), None, within)
    fitted = fitted_before(folder, member)
    traced = Traced(fitted, norms_before(folder, fitted), open_index(folder, fitted))
    return Opened(member, open_text_index(folder), traced, within, grouped_before(folder, fitted))
