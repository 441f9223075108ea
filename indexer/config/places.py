"""EDGE: where the models of a configuration lie: beside it, or on the hub; and which of them an adapter stands on."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from attribution.errors import BadInput
from attribution.loading.adapter import ALONE, is_adapter, read_adapter
from attribution.loading.place import check_hub_id, refuse_missing, split_revision

if TYPE_CHECKING:
    from indexer.config.config import Model


def located(model: "Model", folder: Path) -> "Model":
    """With whole paths for all that lies beside the configuration, and the revision of a hub id behind it.

    Raises BadInput for a path that is empty or not there, and for a revision of what has none.
    """
    for what, each in (("path", model.path), *(("path of a checkpoint", each) for each in model.checkpoints)):
        if not (each and (folder / each).name):  # of the root, too, nothing lies beside it
            raise BadInput(f"expected a {what} for {model.name}, found {each!r}; name a folder or a hub id")
    path = _beside(model.path, folder, model, model.recipe is not None)
    if model.revision:
        if Path(path).is_absolute() or "@" in path:
            raise BadInput(f"expected a revision of a hub id only, found one for {model.path}; take it out")
        path = f"{check_hub_id(path)}@{model.revision}"
        split_revision(path)
    return replace(
        model,
        path=path,
        tokenizer=_beside(model.tokenizer, folder, model, known=False),
        base=_beside(model.base, folder, model, known=False),
        reference=_beside(model.reference, folder, model, known=False),
        checkpoints=tuple(_checkpoint(each, path, folder) for each in model.checkpoints),
    )


def on_parents(models: tuple["Model", ...], folder: Path) -> tuple["Model", ...]:
    """An adapter's base and parent, where one of them says the other: a fine-tuned stage stands on its base."""
    return tuple(_on_parent(model, models, folder) for model in models)


def _on_parent(model: "Model", models: tuple["Model", ...], folder: Path) -> "Model":
    own = folder / model.path
    if not own.is_dir() or not is_adapter(own):
        if model.base:
            raise BadInput(f"expected a base for an adapter only, found one for {model.name}; take it out")
        if model.explain == ALONE:
            raise BadInput(f"expected an adapter at {own} to explain alone, found none; take explain out")
        return model
    by_name = {each.name: each for each in models}
    if model.parent in by_name and not model.base:
        return replace(model, base=by_name[model.parent].path)
    named = model.base or _of_training(read_adapter(own).base, (own, folder))
    if not model.parent and model.stage == "finetuned":
        for each in models:
            if each is not model and _same(each.path, named, folder):
                return replace(model, base=each.path, parent=each.name)
    return replace(model, base=named) if Path(named).is_absolute() else model


def _of_training(base: str, places: tuple[Path, ...]) -> str:
    """A folder that an adapter names, whole: from where it was trained, which is often where the configuration lies."""
    return next((str(place / base) for place in places if base and (place / base).is_dir()), base)


def _same(path: str, other: str, folder: Path) -> bool:
    return (
        split_revision(path)[0] == split_revision(other)[0] or (folder / path).resolve() == (folder / other).resolve()
    )


def _beside(source: str, folder: Path, model: "Model", known: bool) -> str:
    """A whole path where there is one, or will be (`known`); anything else is a hub id."""
    if not source:
        return ""
    try:
        there = known or (folder / source).exists()
        if not there and not Path(source).is_absolute():
            refuse_missing(source, folder)
    except OSError as error:
        raise BadInput(f"expected the path of a model for {model.name}, found: {error.strerror}; fix path") from None
    return str(folder / source) if there else source


def _checkpoint(source: str, path: str, folder: Path) -> str:
    """A folder, or a revision: `@step3000` of the model's own hub id, `owner/name@step3000` of another."""
    if source.startswith("@"):
        return split_revision(path)[0] + source
    return source if "@" in source and not (folder / source).exists() else str(folder / source)
