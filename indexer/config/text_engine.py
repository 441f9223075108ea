"""Who keeps the text index of a corpus: Whoosh, which is always there, or tantivy, an option, for a large one."""

from importlib.util import find_spec

from indexer.config.installed import HOW, installed

AUTO, WHOOSH, TANTIVY = "auto", "whoosh", "tantivy"
CHOICES = (AUTO, WHOOSH, TANTIVY)
LARGE = 100_000  # documents; Whoosh holds more, but is slow with them


def text_engine(wanted: str, n_documents: int) -> tuple[str, str]:
    """The engine for so many documents, and a line about it that somebody should read, or "".

    wanted: of CHOICES. Raises BadInput, with the command that installs it, where one that is asked for is missing.
    """
    if wanted == TANTIVY:
        installed(TANTIVY)
    if wanted != AUTO:
        return wanted, ""
    if n_documents <= LARGE:
        return WHOOSH, ""
    if find_spec(TANTIVY) is not None:
        return TANTIVY, ""
    return WHOOSH, (
        f"{n_documents:,} documents are indexed by Whoosh, which is slow with so many; after "
        f"`pip install {HOW[TANTIVY]}` the next build indexes them by {TANTIVY}"
    )
