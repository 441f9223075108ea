"""EDGE: the chemical elements (mendeleev's SQLite table): five kinds of sentence for each of the 118."""

import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from data.build_corpus.fact import Fact, plain, sentence_case


def facts(package: Path) -> Iterator[Fact]:
    database = sqlite3.connect(package / "mendeleev/elements.db")
    try:
        database.row_factory = sqlite3.Row
        rows = database.execute("select * from elements order by atomic_number").fetchall()
    finally:
        database.close()
    for row in rows:
        yield from _sentences(row)


def _sentences(row: sqlite3.Row) -> Iterator[Fact]:
    name = row["name"].lower()

    def fact(topic: str, text: str, answer: str) -> Fact:
        return Fact(row["name"], "Elements", topic, text, name, answer)

    symbol, number = row["symbol"], str(row["atomic_number"])
    yield fact("symbol", f"The chemical symbol of {name} is {symbol}.", symbol)
    yield fact("atomic number", f"{row['name']} is the element with atomic number {number}.", number)
    people = _field(row, "discoverers")
    if people and row["discovery_year"]:
        year = str(row["discovery_year"])
        yield fact("discovery", f"{row['name']} was discovered in {year} by {people}.", people)
    elif people:
        yield fact("discovery", f"{row['name']} was discovered by {people}.", people)
    origin = _field(row, "name_origin")
    if origin:
        yield fact("name origin", f"The origin of the name of {name}: {origin}.", origin)
    uses = _field(row, "uses")
    if uses:
        yield fact("use", f"Uses of {name}: {uses}.", uses)
    source = _field(row, "sources")
    if source:
        yield fact("occurrence", f"{row['name']} occurs like this: {source}.", source)


def _field(row: sqlite3.Row, key: str) -> str:
    text = plain(row[key] or "")
    text = re.sub(r"\s+([.,])", r"\1", text).strip(" .")
    return sentence_case(text) if key in {"uses", "sources"} else text
