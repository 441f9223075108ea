"""EDGE: where a model may be read from, judged by names and links alone, before any of its files is opened."""

import re
from pathlib import Path

from attribution.errors import BadInput

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")


_LONGEST = 1000  # characters of a path


def as_path(source: str) -> Path:
    """Raises BadInput for what the system would take for no path."""
    if len(source) > _LONGEST or "\0" in source:
        raise BadInput(f"expected a path of at most {_LONGEST:,} characters without NUL, found {source[:40]!r}; fix it")
    return Path(source)


def check_hub_id(source: str) -> str:
    """The id itself; raises BadInput for what is none: an address, a path that is not there, hidden characters."""
    if not _HUB_ID.fullmatch(source) or ".." in source:
        raise BadInput(
            f"expected a model directory, a .gguf file or a hub id (owner/name), found {source[:100]!r}; fix path"
        )
    return source


def refuse_escapes(folder: Path) -> None:
    """Raises BadInput when a file of a model's folder is a link to somewhere else.

    A snapshot in the cache of a hub links to the `blobs` beside it, and may.
    """
    home = folder.resolve()
    allowed = (home, home.parent.parent / "blobs")
    for file in sorted(folder.iterdir()):
        if file.is_symlink() and not any(file.resolve().is_relative_to(each) for each in allowed):
            raise BadInput(f"expected the files of a model inside {folder}, found that {file.name} is a link outside")
