"""A screen's record: its address and its place in the navigation; the list of all, read without importing any.

Each is a folder in `dashboard/screens` whose `__init__.py` declares the record and whose `screen.py` has `show`.
"""

import gc
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from attribution.records import records

HOME = "dashboard.screens"


@dataclass(frozen=True)
class Screen:
    """One page of the dashboard."""

    name: str  # of its folder, and in the address
    title: str  # in the navigation
    order: int  # in the navigation; the first is what / shows
    of_answer: bool = False  # it is about one answer, and another size means that one's; else its lists are of a size
    of_documents: bool = False  # of one whose prompt brought documents
    all_sizes: bool = False  # it shows all sizes beside each other; of a list, until one of them is chosen
    searched_size: bool = False  # the keys [ and ] change the size that is searched, not the one that answers

    def show(self) -> None:
        """Draw it."""
        _opened(self.name).show()


@cache
def _opened(name: str) -> Any:
    """Its module, imported when it is first opened, so that the first page waits for none of the others. Streamlit
    collects garbage after every rerun: of what stays, that would take as long as half of a page."""
    module = import_module(f"{HOME}.{name}.screen")
    gc.collect()  # what is garbage now would stay too
    gc.freeze()
    return module


@cache
def screens() -> dict[str, Screen]:
    """Every record by its name, in the order of the navigation."""
    return records(HOME, Screen)


@cache
def paths() -> tuple[str, ...]:
    """The address of every screen, in order."""
    return tuple("/" if i == 0 else f"/{name}" for i, name in enumerate(screens()))
