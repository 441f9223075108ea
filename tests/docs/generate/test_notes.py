from dataclasses import dataclass, fields

import pytest

from docs.generate.configuration import tables_of
from docs.generate.notes import entry_notes, field_notes
from indexer.config.config import Config
from indexer.database import schema, summaries
from indexer.database.tables import LATER_SUBJECTS


@dataclass
class Noted:
    """Not of a field."""

    first: int
    """What the first
    means."""
    second: int = 2
    third: int = 3
    """Of the third."""

    def method(self) -> None:
        """Not of a field."""


def test_the_string_below_a_field_is_its_meaning():
    assert field_notes(Noted) == {"first": "What the first means.", "third": "Of the third."}


@pytest.mark.parametrize("cls", [cls for _, cls in tables_of(Config)])
def test_every_key_says_what_it_means(cls):
    inner = {of for _, of in tables_of(cls)}
    tables = {f.name for f in fields(cls) if f.type in (*inner, *(f"{of.__name__} | None" for of in inner))}
    silent = {field.name for field in fields(cls)} - set(field_notes(cls)) - tables
    assert silent == set()
    assert cls.__doc__ and not cls.__doc__.startswith(f"{cls.__name__}(")  # as dataclasses write one where none is


@pytest.mark.parametrize(
    ("module", "name"),
    [(schema, "TABLES"), (summaries, "SUMMARIES"), *((subject, "TABLES") for subject in LATER_SUBJECTS)],
)
def test_every_table_says_what_it_holds(module, name):
    notes = entry_notes(module, name)
    later = {table for subject in LATER_SUBJECTS for table in subject.TABLES} if module is schema else set()
    assert set(notes) | later == set(getattr(module, name))
    assert [table for table, note in notes.items() if not note] == []
