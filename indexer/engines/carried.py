"""EDGE: models and other files of a configuration, by names under which every node finds them in the storage."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from indexer.config.config import Config, Model
from indexer.journal.files import folder_stamps
from indexer.journal.stages import key


def carried(config: Config, entries: Sequence[Model]) -> dict[str, str]:
    """Whole path -> name, of everything on this machine that these sizes and the target sets are read from.

    A file is known by its path, size and time. What lies below something else that is carried comes with it; hub ids
    are fetched by every node for itself.
    """
    named = {each for entry in entries for each in _named(entry) if Path(each).is_absolute() and Path(each).exists()}
    files = {str(file) for of in config.targets for file in (of.file, of.against) if file is not None}
    found: dict[str, str] = {}
    for each in sorted({*named, *files}, key=len):
        path = Path(each)
        if not any(Path(above) in path.parents for above in found):
            stamps = folder_stamps(path) if path.is_dir() else {"": f"{path.stat().st_size} {path.stat().st_mtime_ns}"}
            found[each] = f"{key(path=each, stamps=stamps)}{path.suffix if path.is_file() else ''}"
    return found


def at_node(config: Config, names: Mapping[str, str], place_of: Callable[[str], Path], folder: Path) -> Config:
    """The configuration for a node: everything that is carried where it lies there, and a folder of the node's own."""

    def moved(path: str) -> str:
        for above, name in names.items():
            if path == above or Path(above) in Path(path).parents:
                return str(place_of(name) / Path(path).relative_to(above))
        return path

    models = tuple(
        replace(
            model,
            path=moved(model.path),
            tokenizer=moved(model.tokenizer),
            base=moved(model.base),
            reference=moved(model.reference),
            checkpoints=tuple(map(moved, model.checkpoints)),
        )
        for model in config.model
    )
    targets = tuple(
        replace(of, file=Path(moved(str(of.file))), against=of.against and Path(moved(str(of.against))))
        for of in config.targets
    )
    return replace(
        config,
        model=models,
        targets=targets,
        output=replace(config.output, folder=folder),
        device=replace(config.device, processes=1),
    )


def _named(entry: Model) -> tuple[str, ...]:
    return entry.path, entry.tokenizer, entry.base, entry.reference, *entry.checkpoints
