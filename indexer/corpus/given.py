"""EDGE: the files that a configuration means: a name, a pattern, or a folder made by `datasets.save_to_disk`."""

import glob
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from attribution.errors import BadInput


def found_files(files: Sequence[Path]) -> tuple[Path, ...]:
    """Every file in order: those of a pattern by name, those of a folder as it lists them.

    Raises BadInput for a pattern that nothing matches, and for a folder of several splits or of none of ours. A file
    that is not there is named by whoever opens it.
    """
    return tuple(each for file in files for one in _matching(file) for each in _of_folder(one))


def corpus_name(file: Path) -> str:
    """What documents of a file are named by: its name without endings; of a saved dataset that of its folder."""
    if file.suffix.lower() != ".arrow":
        return Path(file.name.removesuffix(".gz")).stem
    folder = file.parent
    of_splits = (folder.parent / "dataset_dict.json").exists()
    return f"{folder.parent.name}/{folder.name}" if of_splits else folder.name


def place_name(file: Path) -> str:
    """A file's name in messages and in what a build remembers: shards of two saved datasets are named alike."""
    return f"{file.parent.name}/{file.name}" if file.suffix.lower() == ".arrow" else file.name


def _matching(file: Path) -> Iterator[Path]:
    base, rest = _split(file)
    if not rest:
        yield file
        return
    matching = sorted(glob.glob(rest, root_dir=base, recursive=True))  # noqa: PTH207 - it leaves hidden files alone
    if not matching:
        raise BadInput(f"expected a file that matches {file}, found none; correct the pattern")
    yield from (base / each for each in matching)


def _split(file: Path) -> tuple[Path, str]:
    """The part of a path that is there or says no pattern, and the pattern: a folder's own name may hold a bracket."""
    base = Path(file.anchor)
    parts = file.parts[len(base.parts) :]
    for i, part in enumerate(parts):
        if glob.has_magic(part) and not (base / part).exists():
            return base, "/".join(parts[i:])
        base /= part
    return file, ""


def _of_folder(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
    elif (path / "dataset_dict.json").exists():
        splits = _json(path / "dataset_dict.json").get("splits")
        names = [str(each) for each in splits] if isinstance(splits, list) else []
        if len(names) != 1:
            first = f'; name one: files = ["{path.name}/{names[0]}"]' if names else "; save it again"
            raise BadInput(f"expected one split of {path}, found {', '.join(names) or 'none'}{first}")
        yield from _of_folder(path / names[0])
    elif (path / "state.json").exists():
        yield from _shards(path)
    else:
        raise BadInput(
            f"expected a readable file at {path}, found a folder without state.json; "
            f'name its files: files = ["{path.name}/*.parquet"]'
        )


def _shards(folder: Path) -> Iterator[Path]:
    state = _json(folder / "state.json")
    listed = state.get("_data_files")
    if state.get("_indices_files") or state.get("_indices_data_files"):
        raise BadInput(f"expected rows as they are saved in {folder}, found a selection; flatten_indices, save again")
    for each in listed if isinstance(listed, list) else []:
        name = each.get("filename") if isinstance(each, dict) else None
        if not isinstance(name, str) or Path(name).name != name:  # a list that leaves its folder is not one of ours
            raise BadInput(f"expected names of files in {folder}/state.json, found {name!r}; save the dataset again")
        yield folder / name
    if not listed:
        raise BadInput(f"expected files listed in {folder / 'state.json'}, found none; save the dataset again")


def _json(path: Path) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(f"expected JSON in {path}, found: {error}; save the dataset again") from None
    return value if isinstance(value, dict) else {}
