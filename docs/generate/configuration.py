"""`docs/configuration.md`: every table and key of a configuration, out of its dataclasses. Pure."""

import dataclasses
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from docs.generate.markdown import table
from docs.generate.notes import field_notes
from indexer.config.config import Config
from indexer.config.tables import estimator_table, saliency_table

_BEFORE = """# Configuration

One TOML file describes a build. Paths in it are relative to the file. An unknown key or an impossible value is refused
with the nearest known key, before anything is written. Every database keeps the configuration that it was built with.
The shortest one is in [Your own data](your-data.md#the-configuration).
"""
_NUMBERS = {int: "integer", float: "number", bool: "true or false", str: "text", Path: "path"}


def page() -> str:
    tables = [_table(name, cls) for name, cls in tables_of(Config)]
    return "\n".join([_BEFORE, *tables, _methods()])


def tables_of(cls: type, prefix: str = "") -> Iterator[tuple[str, type]]:
    """(`[prompts]`, Prompts), (`[[model]]`, Model), (`[model.recipe]`, Recipe) …, as they are written in TOML."""
    for name, hint in typing.get_type_hints(cls, include_extras=True).items():
        of = _table_class(hint)
        if of is not None:
            full = prefix + name
            yield (f"[[{full}]]" if typing.get_origin(hint) is tuple else f"[{full}]"), of
            yield from tables_of(of, f"{full}.")


def _table_class(hint: Any) -> type | None:
    arms = [hint, *typing.get_args(hint)]
    return next((arm for arm in arms if isinstance(arm, type) and dataclasses.is_dataclass(arm)), None)


def _table(name: str, cls: type) -> str:
    hints = typing.get_type_hints(cls, include_extras=True)
    notes = field_notes(cls)
    rows = [
        (f"`{field.name}`", kind(hints[field.name]), default(field), notes[field.name])
        for field in dataclasses.fields(cls)
        if _table_class(hints[field.name]) is None
    ]
    return f"## `{name}`\n\n{' '.join((cls.__doc__ or '').split())}\n\n" + table(
        ("key", "type", "default", "meaning"), rows
    )


def kind(hint: Any) -> str:
    """A type in words: `Annotated[int, Range(1)]` is "integer, at least 1"."""
    if typing.get_origin(hint) is Annotated:
        number, allowed = typing.get_args(hint)
        return f"{kind(number)}, {allowed}"
    if typing.get_origin(hint) is tuple:
        one, comma, bounds = kind(typing.get_args(hint)[0]).partition(",")
        return f"list of {one}s{comma}{bounds}"
    if typing.get_origin(hint) is dict:
        return "table"
    if isinstance(hint, types.UnionType):
        return kind(next(arm for arm in typing.get_args(hint) if arm is not type(None)))
    return _NUMBERS[hint]


def default(field: "dataclasses.Field[Any]") -> str:
    """As it would be written in TOML; what must be given is "required"."""
    if field.default_factory is not dataclasses.MISSING:
        return "none"
    if field.default is dataclasses.MISSING:
        return "required" if field.default_factory is dataclasses.MISSING else "none"
    return "none" if field.default is None else f"`{_toml(field.default)}`"


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)


def _methods() -> str:
    return (
        "## Names of methods\n\nWhat each of them computes: [Method](method.md).\n\n"
        f"### Estimators\n\n{estimator_table()}\n### Saliency\n\n{saliency_table()}"
    )
