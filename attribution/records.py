"""Records: what the modules of a folder declare about themselves, so that adding one to the folder is all it takes.

Nothing is listed anywhere else: configuration, forecast, evaluation, pages and documentation ask here. Records are read
where torch is not wanted, so that a module with one imports what it computes with inside its functions.
"""

from importlib import import_module
from pkgutil import iter_modules
from typing import Protocol, TypeVar


class Named(Protocol):
    """What every record has."""

    @property
    def name(self) -> str: ...

    @property
    def order(self) -> int: ...


Record = TypeVar("Record", bound=Named)


def records(package: str, of: type[Record]) -> dict[str, Record]:
    """The RECORD of every module or package right below `package`, by name, in their order and then by name.

    Raises TypeError for a module without one, or with one of another name: nobody would miss what is not found.
    """
    found = []
    for each in iter_modules(import_module(package).__path__):
        record = getattr(import_module(f"{package}.{each.name}"), "RECORD", None)
        if not isinstance(record, of) or record.name != each.name:
            raise TypeError(
                f"expected {package}.{each.name} to declare RECORD = {of.__name__}(name={each.name!r}, ...), "
                f"found {getattr(record, 'name', record)!r}"
            )
        found.append(record)
    return {each.name: each for each in sorted(found, key=lambda each: (each.order, each.name))}
