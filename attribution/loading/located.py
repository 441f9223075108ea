"""EDGE: where a model lies: a folder, a `.gguf` file, a hub id with its revision, an adapter on one of these."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from huggingface_hub import file_exists, try_to_load_from_cache
from huggingface_hub.errors import HfHubHTTPError

from attribution.errors import BadInput
from attribution.loading.adapter import Adapter, is_adapter, read_adapter
from attribution.loading.place import as_path, check_hub_id, refuse_escapes, split_revision

# what the hub's client raises where there is no connection: it has changed its library of HTTP before
_UNREACHED: type[Exception] = HfHubHTTPError.__mro__[1]

Options = dict[str, str | bool]


@dataclass(frozen=True)
class Located:
    """What transformers is told; with an adapter, that of its base."""

    location: str
    options: Options = field(default_factory=dict)
    adapter: Adapter | None = None


def locate(source: str, base: str = "") -> Located:
    """Checked by names and by small files; the weights themselves are not opened.

    base: what an adapter is merged into, if not what its settings name. Raises BadInput for a place where no model is.
    """
    path = as_path(source)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise BadInput(f"expected a GGUF file at {source}, found none; check [[model]] path")
        return Located(str(path.parent), {"gguf_file": path.name, "local_files_only": True})
    if not path.is_absolute() and not path.exists():
        name, revision = split_revision(source)  # the one case in which the user asked for the network
        return _on_hub(name, revision)
    if not path.is_dir():
        raise BadInput(f"expected a model directory at {source}, found none; run `whence train` or fix path")
    refuse_escapes(path)
    if is_adapter(path):
        return _on_base(read_adapter(path), base)
    if not (path / "config.json").is_file():
        raise BadInput(f"expected config.json in {source}, found none; give the directory of a transformers model")
    if not any(path.glob("*.safetensors")):
        raise BadInput(f"expected weights as .safetensors in {source}, found none; convert them (pickle is not read)")
    _check_index(path / "model.safetensors.index.json")
    return Located(str(path), {"local_files_only": True})


def tokenizer_place(source: str) -> Located:
    """Where a tokenizer lies that is not beside the weights: a folder, or a hub id."""
    if as_path(source).is_dir():
        refuse_escapes(Path(source))
        return Located(source, {"local_files_only": True})
    return _on_hub(*split_revision(source))


def check_present(checkpoints: Sequence[str], base: str = "") -> None:
    """Raises BadInput for a checkpoint that is not there, on disk or on the hub: it would be opened hours later.

    base: of those that are adapters.
    """
    for each in checkpoints:
        locate(each, base)


def _on_hub(name: str, revision: str) -> Located:
    """Asked once and briefly: transformers would try for a minute to reach a name that nobody has."""
    at = {"revision": revision} if revision else {}
    if not isinstance(try_to_load_from_cache(check_hub_id(name), "config.json", **at), str):
        what = f"{name}@{revision}" if revision else name
        try:
            there = file_exists(name, "config.json", **at)
        except (OSError, RuntimeError, _UNREACHED) as error:
            raise BadInput(
                f"expected a model directory, or to reach the hub for {what}, found neither ({type(error).__name__}); "
                "fix path, or download it first"
            ) from None
        if not there:
            raise BadInput(f"expected a model directory or a hub id, found none named {what}; fix path")
    return Located(name, dict(at))


def base_of(source: str, base: str = "") -> str:
    """What an adapter's folder stands on, as `locate` is told it; "" for what is no adapter. base: as for `locate`.

    Raises BadInput for an adapter that cannot be read, and for one that names no base.
    """
    path = as_path(source)
    return _named_base(read_adapter(path), base) if path.is_dir() and is_adapter(path) else ""


def _named_base(adapter: Adapter, base: str) -> str:
    named = base or adapter.base
    if not named:
        raise BadInput(f"expected the base of {adapter.folder} in its settings, found none; set [[model]] base")
    if not base and not Path(named).is_absolute():
        beside = adapter.folder / named  # training may have named it from there
        named = str(beside) if beside.exists() else f"{named}@{adapter.revision}" if adapter.revision else named
    return named


def _on_base(adapter: Adapter, base: str) -> Located:
    named = _named_base(adapter, base)
    try:
        found = locate(named)
    except BadInput as error:
        more = "" if base else "; or set [[model]] base"
        raise BadInput(f"the base of the adapter {adapter.folder}: {error}{more}") from None
    if found.adapter is not None:
        raise BadInput(f"expected a model as the base of {adapter.folder}, found an adapter; merge that one first")
    return replace(found, adapter=adapter)


def _check_index(path: Path) -> None:
    """An index of weights in several files may name files beside it only: transformers would open any."""
    if not path.is_file():
        return
    try:
        named = set(json.loads(path.read_bytes())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise BadInput(f"expected an index with a weight_map in {path}, found none; get the file again") from None
    for name in sorted(map(str, named)):
        if Path(name).name != name:
            raise BadInput(f"expected weights beside {path}, found that it names {name!r} outside; mend that file")
