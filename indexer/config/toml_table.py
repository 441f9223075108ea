"""EDGE: reads TOML, and turns its tables into frozen dataclasses: every key known, every value of its type."""

import dataclasses
import difflib
import json
import math
import re
import tomllib
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from attribution.errors import BadInput


@dataclasses.dataclass(frozen=True)
class Range:
    """Which numbers a key takes; stands beside its type: `Annotated[int, Range(1)]`."""

    low: float
    high: float = math.inf
    without_low: bool = False

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high and math.isfinite(value) and not (self.without_low and value == self.low)

    def __str__(self) -> str:
        low = f"{'more than' if self.without_low else 'at least'} {self.low:g}"
        return low if self.high == math.inf else f"{low} and at most {self.high:g}"


Count = Annotated[int, Range(1)]
Natural = Annotated[int, Range(0)]
Positive = Annotated[float, Range(0, without_low=True)]
Share = Annotated[float, Range(0, 1, without_low=True)]


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")  # of what names folders, parts of a stage and options


def check_names(names: Sequence[str], what: str, where: str, naming: str) -> None:
    """Raises BadInput for a name that is used twice, and for one that could name no file.

    what, where: as a message says it: "model name", "demo.toml"   naming: what is named by it
    """
    for name in names:
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"expected a {what} of letters, digits, '.', '_' and '-' in {where}, found {name!r}; rename it: "
                f"{naming} are named by it"
            )
        if names.count(name) > 1:
            raise BadInput(f"expected every {what} once in {where}, found {name!r} twice; rename one")


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"expected a configuration at {path}, found no file; give the path of a TOML file") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"expected TOML in {path}, found: {error}; mend that line") from None
    except OSError as error:
        raise BadInput(f"expected a readable configuration at {path}, found: {error.strerror}") from None


@dataclasses.dataclass(frozen=True)
class Table:
    """One TOML table that is to become `cls`; `where` names it in messages, paths start at `folder`."""

    values: dict[str, Any]
    cls: type
    where: str
    folder: Path

    def build(self) -> Any:
        hints = typing.get_type_hints(self.cls, include_extras=True)
        fields = {f.name: f for f in dataclasses.fields(self.cls)}
        for key in self.values:
            if key not in fields:
                raise BadInput(f"unknown key {key!r} in {self.where}: {_nearest(key, list(fields))}")
        for name, f in fields.items():
            required = f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
            if required and name not in self.values:
                raise BadInput(f"expected {name!r} in {self.where}, found no such key; add it")
        given = {key: self._value(key, hints[key], value) for key, value in self.values.items()}
        return self.cls(**given)

    def _value(self, key: str, kind: Any, value: Any) -> Any:
        if isinstance(kind, types.UnionType):  # Recipe | None
            if value is None:
                return None
            kind = next(arm for arm in typing.get_args(kind) if arm is not type(None))
        where = f"{self.where}, {key}"
        if typing.get_origin(kind) is tuple:
            item = typing.get_args(kind)[0]
            if isinstance(value, str):
                value = [value]  # one is as good as a list of one
            if not isinstance(value, list):
                raise BadInput(f"expected a list for {where}, found {value!r}; write {key} = [ … ]")
            return tuple(self._one(f"{where}[{i}]", item, each) for i, each in enumerate(value))
        return self._one(where, kind, value)

    def _one(self, where: str, kind: Any, value: Any) -> Any:
        if typing.get_origin(kind) is Annotated:
            number, allowed = typing.get_args(kind)
            made = self._one(where, number, value)
            if made not in allowed:
                raise BadInput(f"expected {allowed} for {where}, found {value!r}; change the value")
            return made
        if dataclasses.is_dataclass(kind):
            if not isinstance(value, dict):
                raise BadInput(f"expected a table for {where}, found {value!r}")
            return Table(value, typing.cast(type, kind), where, self.folder).build()
        if typing.get_origin(kind) is dict:  # names of somebody else's, as they are
            if not isinstance(value, dict):
                raise BadInput(f"expected a table for {where}, found {value!r}; write {{ name = value }}")
            return json.loads(json.dumps(value, default=lambda moment: moment.isoformat()))  # dates: JSON has none
        if isinstance(value, str) and "\0" in value:  # ends a name in the system's calls
            raise BadInput(f"expected text without NUL for {where}, found one; take it out")
        if kind is Path and isinstance(value, str):
            if not value:  # would be the folder of the configuration
                raise BadInput(f"expected a path for {where}, found an empty one; name a file or a folder")
            return self.folder / value
        if kind is float and isinstance(value, int) and not isinstance(value, bool):
            return float(value)
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise BadInput(f"expected {kind.__name__} for {where}, found {value!r}; change the value")
        return value


def _nearest(key: str, known: list[str]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.5)
    return f"did you mean {near[0]!r}?" if near else f"known keys are {', '.join(known)}"
