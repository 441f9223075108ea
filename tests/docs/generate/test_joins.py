"""The drawing has a mark for every join column of every table, as DuckDB itself tells them."""

import re
from xml.etree import ElementTree

import duckdb

from docs.generate.joins import PAPER, names_alone, picture, shared
from indexer.database.schema import TABLES
from indexer.database.statements import create_tables


def having(column: str) -> list[str]:
    with duckdb.connect() as db:
        create_tables(db)
        rows = db.execute("SELECT table_name FROM duckdb_columns() WHERE column_name = ?", [column]).fetchall()
    return sorted(name for (name,) in rows)


def test_the_lines_are_the_ids_and_positions_that_several_tables_have():
    assert set(shared()) == {
        *("document_id", "model_id", "run_id", "prompt_id", "generation_id", "tokenizer_id"),
        *("position", "token_position"),
    }


def test_every_join_has_its_mark():
    drawing = ElementTree.fromstring(picture())  # noqa: S314 - ours
    marks = drawing.findall(".//{*}circle")
    assert len(marks) == sum(len(having(column)) for column in shared())
    assert sum(mark.get("fill") != PAPER for mark in marks) == sum(
        names_alone(name, column) for name in TABLES for column in shared()
    )


def test_a_column_that_names_a_row_alone_is_filled():
    assert names_alone("document", "document_id")
    assert not names_alone("influence", "document_id")
    assert re.search(r">document_id</text>", picture())
