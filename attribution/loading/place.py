"""EDGE: where a model may be read from, judged by names and links alone, before any of its files is opened."""

import difflib
import re
from pathlib import Path

from attribution.errors import BadInput

_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}(/[A-Za-z0-9][A-Za-z0-9._-]{0,95})?")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}")  # a branch, a tag or a commit
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


def split_revision(source: str) -> tuple[str, str]:
    """`owner/name@revision` -> its parts; the revision is "" where none is named."""
    name, _, revision = source.partition("@")
    if ("@" in source and not _REVISION.fullmatch(revision)) or ".." in revision:
        raise BadInput(f"expected a branch, tag or commit after @ in {source[:100]!r}, found none; fix path")
    return name, revision


def refuse_missing(source: str, folder: Path) -> None:
    """Raises BadInput for a mistyped path, which would be asked of the network as a hub id: its first part is a folder
    that is here, or its whole name is nearly that of a model beside the configuration."""
    name, _ = split_revision(source)
    first = name.split("/")[0]
    models = [each for each in _folders(folder) if (each / "config.json").is_file()] if "/" not in name else []
    near = difflib.get_close_matches(name, [each.name for each in models], n=1, cutoff=0.75)
    if ("/" in name and (folder / first).is_dir()) or near:
        beside = near or [each.name for each in _folders(folder / first)]
        close = difflib.get_close_matches(Path(name).name, beside, n=3, cutoff=0) or ["nothing"]
        raise BadInput(f"expected a model at {folder / name}, found none; there is {', '.join(close)}: fix path")


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []


def refuse_escapes(folder: Path) -> None:
    """Raises BadInput when a file of a model's folder is a link to somewhere else.

    A snapshot in the cache of a hub links to the `blobs` beside it, and may.
    """
    home = folder.resolve()
    allowed = (home, home.parent.parent / "blobs")
    for file in sorted(folder.iterdir()):
        if file.is_symlink() and not any(file.resolve().is_relative_to(each) for each in allowed):
            raise BadInput(f"expected the files of a model inside {folder}, found that {file.name} is a link outside")
