"""EDGE: a small build with two target sets, and questions to its database."""

from pathlib import Path

import duckdb
import pytest

from indexer.__main__ import main
from indexer.database.snapshot_file import read_current
from indexer.size import factors
from tests.indexer.pipeline.test_build import stage_here
from tests.synthetic_database import FACTS
from tests.tiny_family import write_lines, write_project

TARGETS = """
[[targets]]
name = "capitals"
file = "capitals.jsonl"
against = "wrong.jsonl"
scored = 1.0
[[targets]]
name = "money"
file = "money.jsonl"
"""
CAPITALS = [
    {"prompt": f"The capital of {country} is", "completion": f" {capital}"} for country, capital, _ in FACTS[:6]
]
WRONG = [a | {"completion": b["completion"]} for a, b in zip(CAPITALS, CAPITALS[1:], strict=False)]
MONEY = [
    {"prompt": f"People in {country} pay in the", "completion": f" {currency}."} for country, _, currency in FACTS[:3]
]


def project(folder: Path) -> Path:
    path = write_project(folder)
    for name, texts in (("capitals", CAPITALS), ("wrong", WRONG), ("money", MONEY)):
        write_lines(folder / f"{name}.jsonl", texts)
    path.write_text(path.read_text().replace("[output]", f"{TARGETS}\n[output]"))
    return path


def built_in(folder: Path) -> Path:
    """A configuration whose family of two is trained and built."""
    path = project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factors, "stage", stage_here)
        assert main(["train", str(path)]) == 0
        assert main(["build", str(path)]) == 0
    return path


def rows(built: Path, query: str) -> list[tuple]:
    folder = built.parent / "build"
    with duckdb.connect(str(folder / read_current(folder).database), read_only=True) as db:
        return db.execute(query).fetchall()
